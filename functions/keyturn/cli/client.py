"""`keyturn client`: which tokens each client may have."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from keyturn.access.client import Client, Subjects
from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli import documents
from keyturn.cli.differences import rows
from keyturn.cli.document_change import Change, Consent
from keyturn.cli.documents import DOES_NOT_PARSE, DocumentKind, say_problems, to_json
from keyturn.cli.formatting import duration, table
from keyturn.cli.options import Drift, DryRun, Yes
from keyturn.cli.terminal import Terminal, UsageError
from keyturn.keyset import timing
from keyturn.keyset.errors import KeysetFault

Name = Annotated[str, typer.Argument(help="The client's name, as in POST /token/NAME.")]
Audiences = Annotated[
    list[str], typer.Option("--audience", help="An audience its tokens may have; repeatable.")
]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help="A scope its tokens may have; repeatable.")
]
SubjectNames = Annotated[
    list[str] | None,
    typer.Option("--subject", help="`itself` (the default), `any`, or a subject; repeatable."),
]
MaxLifetime = Annotated[
    int | None,
    typer.Option(help="The longest lifetime of a token in seconds; by default the key's."),
]
Claims = Annotated[
    list[str] | None, typer.Option("--claim", help="A claim that it may set; repeatable.")
]


def add(
    terminal: Terminal,
    deployment: Deployment,
    name: Name,
    *,
    audience: Audiences,
    scope: Scopes = None,
    subject: SubjectNames = None,
    max_lifetime: MaxLifetime = None,
    claim: Claims = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    drift: Drift = False,
) -> None:
    """Write a client's document, which says what it may have; it replaces the one before."""
    document: dict[str, Any] = {"audiences": audience, "subjects": _subjects(subject or [])}
    if scope:
        document["scopes"] = scope
    if max_lifetime is not None:
        document["max_lifetime"] = max_lifetime
    if claim:
        document["claims"] = claim
    before = CLIENTS.read(deployment, name)
    change = Change(terminal, deployment, CLIENTS, name, before, document)
    change.write(Consent(dry_run, yes, drift))


def remove(
    terminal: Terminal,
    deployment: Deployment,
    name: Name,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    drift: Drift = False,
) -> None:
    """Give a client no more tokens."""
    before = CLIENTS.read_existing(deployment, name)
    change = Change(terminal, deployment, CLIENTS, name, before, None)
    change.remove(Consent(dry_run, yes, drift))


def show(terminal: Terminal, deployment: Deployment, name: Name) -> None:
    """What a client may have, and which stack says so."""
    documents.show(terminal, deployment, CLIENTS, name)


def list_clients(terminal: Terminal, deployment: Deployment) -> None:
    """Every client, and what it may have."""
    clients = deployment.client_documents.read_all()
    listing = table("CLIENT", "AUDIENCES", "SCOPES", "SUBJECTS")
    for name in sorted(clients):
        texts = rows(clients[name].members, CLIENTS.defaults)
        cells = [texts[member] for member in ("audiences", "scopes", "subjects")] if texts else []
        listing.add_row(name, *(cells or [DOES_NOT_PARSE]))
    terminal.say(listing if clients else "There are no clients, so no tokens can be issued.")
    say_problems(terminal, clients)
    entries = [{"client": name, **to_json(clients[name])} for name in sorted(clients)]
    terminal.result({"clients": entries})


def _subjects(arguments: list[str]) -> str | list[str]:
    if not arguments:
        return Subjects.ITSELF.value
    if len(arguments) == 1 and arguments[0] in tuple(Subjects):
        return arguments[0]
    if words := set(arguments) & set(Subjects):
        raise UsageError(
            f"--subject {min(words)} cannot be combined with others", "leave out the others"
        )
    return arguments


def _effects(deployment: Deployment, before: Client | None) -> Sequence[str]:
    times = deployment.settings.times
    bound = duration(timing.issuing_bound(times))
    lines = [f"Takes effect for new tokens within {bound} (C + ε); at once in a cold container."]
    if before:
        longest = _longest_lifetime(deployment)
        life = timing.token_bound(times, min(longest, before.max_lifetime or longest))
        lines.append(
            f"Tokens issued before stay valid until they expire, for {duration(life)} at most; "
            f"`keyturn revoke --client {before.name}` ends them sooner."
        )
    return lines


def _longest_lifetime(deployment: Deployment) -> int:
    """Seconds; a key keeps the lifetime that it was created with."""
    times = deployment.settings.times
    try:
        return max([times.token_lifetime, *(key.lifetime for key in deployment.keyset.keys)])
    except (AwsFault, KeysetFault):  # writing the document does not depend on it
        return times.token_lifetime


CLIENTS: DocumentKind[Client] = DocumentKind(
    noun="client",
    verb="client",
    from_document=Client.from_document,
    minimal={"audiences": ["any"]},
    defaults={
        "audiences": "none",
        "scopes": "none",
        "subjects": "itself",
        "max_lifetime": "the key's lifetime",
        "claims": "none",
    },
    registry=lambda deployment: deployment.client_documents,
    effects=_effects,
    question="This decides which tokens it gets.",
    removal="The client gets no more tokens: POST /token answers 403 unauthorized_client.",
)
