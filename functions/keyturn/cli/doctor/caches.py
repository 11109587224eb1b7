"""Checks of API Gateway: does it keep the authorizer's answers as long as the bound says, and for what?"""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from keyturn.aws.gateway_authorizers import Authorizer
from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.snapshot import Snapshot


def check_authorizer_caches(snapshot: Snapshot) -> Iterator[Finding]:
    """No API keeps an answer for longer than G, unless an emergency flushes it."""
    bound = snapshot.settings.times.result_ttl
    flushed = {stage.api_id for stage in snapshot.settings.flush_targets}
    for authorizer in snapshot.authorizers or ():
        is_own = authorizer.api_id == snapshot.api_id
        if authorizer.result_ttl > bound and (is_own or authorizer.api_id not in flushed):
            yield _longer(authorizer, bound, is_own=is_own)


def check_cached_routes(snapshot: Snapshot) -> Iterator[Finding]:
    """No answer for one route is taken for another, unless the document says `cached`."""
    for authorizer in snapshot.authorizers or ():
        if not authorizer.keeps_one_answer_for_all_routes:
            continue
        document = (snapshot.apis or {}).get(authorizer.api_id)
        if document is None:  # it follows the stack's RouteScopes, which know of caches
            if authorizer.is_http and snapshot.settings.route_scopes:
                yield _opens_routes(authorizer)
        elif document.members and document.members.get("routes"):
            if authorizer.is_http:
                yield _opens_routes(authorizer)
            elif not document.members.get("cached"):
                yield _refuses_routes(authorizer, document.members)


def _opens_routes(authorizer: Authorizer) -> Finding:
    api, own = authorizer.api_id, authorizer.authorizer_id
    sources = " ".join(
        quote(f"${source}") for source in sorted({*authorizer.cache_key, "context.routeKey"})
    )
    return Finding(
        "cache_opens_routes",
        Severity.ERROR,
        f"HTTP API {api} keeps one answer of the authorizer for all its routes: a token that opens one "
        f"of them opens the others for {authorizer.result_ttl} s.",
        f"`aws apigatewayv2 update-authorizer --api-id {api} --authorizer-id {own} "
        f"--identity-source {sources}` keeps one per route. Or no cache: {_update(authorizer, 0)}",
        subject=api,
    )


def _refuses_routes(authorizer: Authorizer, document: Mapping[str, Any]) -> Finding:
    api, routes = authorizer.api_id, document["routes"]
    options = "".join(f" --route {quote(f'{route}={routes[route]}')}" for route in routes)
    return Finding(
        "cache_refuses_routes",
        Severity.CRITICAL,
        f"REST API {api} keeps one answer of the authorizer for all its routes, and its document does "
        f"not say so: after a call of one route the others refuse the token for "
        f"{authorizer.result_ttl} s.",
        f"`keyturn api add {api} --audience {quote(document['audience'])}{options} --cached`. Or no "
        f"cache: {_update(authorizer, 0)}",
        subject=api,
    )


def _longer(authorizer: Authorizer, bound: int, *, is_own: bool) -> Finding:
    kind = "HTTP API" if authorizer.is_http else "REST API"
    target = f"{'http:' if authorizer.is_http else ''}{authorizer.api_id}/<stage>"
    name = "This stack's API" if is_own else f"{kind} {authorizer.api_id}"
    flush = "" if is_own else f"Name it in FlushTargets (`{target}`). Or: "
    return Finding(
        "authorizer_caches_longer",
        Severity.ERROR if is_own else Severity.WARNING,
        f"{name} keeps the authorizer's answers for {authorizer.result_ttl} s, ResultTtl is {bound}: "
        "it accepts tokens of a revoked key for so much longer than the bound.",
        f"{flush}{_update(authorizer, bound)}",
        subject=authorizer.api_id,
    )


def _update(authorizer: Authorizer, bound: int) -> str:
    api, own = authorizer.api_id, authorizer.authorizer_id
    if authorizer.is_http:
        return (
            f"`aws apigatewayv2 update-authorizer --api-id {api} --authorizer-id {own} "
            f"--authorizer-result-ttl-in-seconds {bound}`."
        )
    return (
        f"`aws apigateway update-authorizer --rest-api-id {api} --authorizer-id {own} "
        f"--patch-operations op=replace,path=/authorizerResultTtlInSeconds,value={bound}`, then "
        f"`aws apigateway create-deployment --rest-api-id {api} --stage-name <stage>`."
    )
