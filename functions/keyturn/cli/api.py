"""`keyturn api`: which tokens each API behind the authorizer accepts."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from keyturn.access.api import Api
from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.gateway_authorizers import Authorizer
from keyturn.aws.registry import StoredDocument
from keyturn.cli import documents
from keyturn.cli.document_change import Change, Consent
from keyturn.cli.documents import DOES_NOT_PARSE, DocumentKind, say_problems, to_json
from keyturn.cli.formatting import count, duration, table
from keyturn.cli.options import Drift, DryRun, Yes
from keyturn.cli.terminal import Terminal, UsageError
from keyturn.keyset import timing

ApiId = Annotated[str, typer.Argument(help="The API's id, as in its execute-api URL.")]
Audience = Annotated[str, typer.Option(help="The audience of the tokens that the API accepts.")]
Routes = Annotated[
    list[str] | None,
    typer.Option(
        "--route",
        help="`METHOD /path=scopes`; repeatable. Without routes, a token for the audience opens all of them.",
    ),
]
Cached = Annotated[
    bool, typer.Option("--cached", help="API Gateway caches the authorizer's answers.")
]
_NO_DOCUMENT = "no document"


def add(
    terminal: Terminal,
    deployment: Deployment,
    api_id: ApiId,
    *,
    audience: Audience,
    route: Routes = None,
    cached: Cached = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    drift: Drift = False,
) -> None:
    """Write an API's document: which tokens it accepts, and which scopes open which route."""
    document: dict[str, Any] = {"audience": audience}
    if route:
        document["routes"] = _routes(route)
    if cached:
        document["cached"] = True
    before = APIS.read(deployment, api_id)
    change = Change(terminal, deployment, APIS, api_id, before, document)
    change.write(Consent(dry_run, yes, drift))


def remove(
    terminal: Terminal,
    deployment: Deployment,
    api_id: ApiId,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    drift: Drift = False,
) -> None:
    """Have the stack-wide settings count for an API again."""
    before = APIS.read_existing(deployment, api_id)
    change = Change(terminal, deployment, APIS, api_id, before, None)
    change.remove(Consent(dry_run, yes, drift))


def show(terminal: Terminal, deployment: Deployment, api_id: ApiId) -> None:
    """What an API accepts, and which stack says so."""
    documents.show(terminal, deployment, APIS, api_id)


def list_apis(terminal: Terminal, deployment: Deployment) -> None:
    """Every API with a document, and those that ask the authorizer without one."""
    apis = deployment.api_documents.read_all()
    authorizers, read_error = _authorizers(deployment)
    known = sorted({*apis, *authorizers})
    listing = table("API", "KIND", "AUDIENCE", "ROUTES")
    for api_id in known:
        kind = _kind(authorizers.get(api_id), read_error)
        listing.add_row(api_id, kind, *_cells(apis.get(api_id)))
    terminal.say(listing)
    if authorizers.keys() - apis:
        terminal.say(f"{_NO_DOCUMENT}: the stack's own Audience and RouteScopes apply.", "dim")
    say_problems(terminal, apis)
    if read_error:
        terminal.say(f"Cannot tell which APIs use the authorizer: {read_error}.", "yellow")
    entries = [
        {
            "api": api_id,
            **to_json(apis.get(api_id)),
            "asks_authorizer": None if read_error else api_id in authorizers,
        }
        for api_id in known
    ]
    terminal.result({"apis": entries, "read_error": read_error})


def _authorizers(deployment: Deployment) -> tuple[dict[str, Authorizer], str | None]:
    """The APIs of this account and Region that ask the authorizer, and why they are not known."""
    try:
        authorizers = deployment.authorizers.list_for_function(deployment.outputs["AuthorizerArn"])
    except AwsFault as fault:
        return {}, str(fault)
    return {authorizer.api_id: authorizer for authorizer in authorizers}, None


def _kind(authorizer: Authorizer | None, read_error: str | None) -> str:
    if authorizer is None:
        return "?" if read_error else "not here"
    return "HTTP or WebSocket" if authorizer.is_http else "REST"


def _cells(declared: StoredDocument[Api] | None) -> tuple[str, str]:
    if declared is None:
        return (_NO_DOCUMENT, "")
    if declared.members is None:
        return (DOES_NOT_PARSE, "")
    routes = declared.members.get("routes")
    number = "all" if routes is None else count(len(routes), "route")
    cached = ", cached" if declared.members.get("cached") else ""
    return (declared.members["audience"], number + cached)


def _routes(arguments: list[str]) -> dict[str, str]:
    """`GET /orders=orders:read` as the entry of a document; raises UsageError."""
    routes: dict[str, str] = {}
    for argument in arguments:
        route, equals, scopes = argument.partition("=")
        if not equals:
            raise UsageError(
                f"--route {argument} names no scopes",
                "write it like 'GET /orders=orders:read'; 'GET /health=' needs a token and no scope",
            )
        if route in routes:
            raise UsageError(f"--route {route} is there twice", "give all its scopes in one option")
        routes[route] = scopes
    return routes


def _effects(deployment: Deployment, _before: Api | None) -> Sequence[str]:
    times = deployment.settings.times
    bound, outage = timing.revocation_bound(times), timing.outage_bound(times)
    return (
        f"Takes effect within {duration(bound)} (C + G + ε), or within {duration(outage)} while SSM "
        "cannot be read; at once in a cold container.",
    )


APIS: DocumentKind[Api] = DocumentKind(
    noun="API",
    verb="api",
    from_document=Api.from_document,
    minimal={"audience": "any"},
    defaults={
        "audience": "none",
        "routes": "all open to any token for the audience",
        "cached": "false",
    },
    registry=lambda deployment: deployment.api_documents,
    effects=_effects,
    question="This decides which tokens it accepts.",
    removal="The stack's own Audience and RouteScopes will apply to it again; they may open more.",
)
