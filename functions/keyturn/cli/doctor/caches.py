"""Checks of API Gateway: for how long, and for which routes, it caches the authorizer's answers."""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from keyturn.access.api import Api
from keyturn.aws.operator.gateway_authorizers import METHOD_AND_PATH, Authorizer
from keyturn.aws.registry import StoredDocument
from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.snapshot import Snapshot


def check_authorizer_caches(snapshot: Snapshot) -> Iterator[Finding]:
    """No API caches an answer for longer than G, unless an emergency flushes its cache."""
    bound = snapshot.settings.times.result_ttl
    flushed = {stage.api_id for stage in snapshot.settings.flush_targets}
    for authorizer in snapshot.authorizers or ():
        is_own = authorizer.api_id == snapshot.api_id
        if authorizer.result_ttl > bound and (is_own or authorizer.api_id not in flushed):
            yield _caches_longer(authorizer, bound, is_own=is_own)


def check_cached_routes(snapshot: Snapshot) -> Iterator[Finding]:
    """No cached answer for one route is used for another, unless the table was built for that."""
    if snapshot.apis is None:  # check_readable reports it
        return
    for authorizer in snapshot.authorizers or ():
        accepted = _read_api(snapshot, snapshot.apis, authorizer.api_id)
        if not accepted.get("routes") or not authorizer.keeps_one_answer_for_all_routes:
            continue
        if authorizer.is_http:
            yield _cache_opens_routes(authorizer)
        elif not accepted.get("cached"):
            yield _cache_refuses_routes(authorizer, accepted)


def _read_api(
    snapshot: Snapshot, apis: Mapping[str, StoredDocument[Api]], api_id: str
) -> Mapping[str, Any]:
    """What the API accepts by its document or, without one, by the stack's settings."""
    if document := apis.get(api_id):
        return document.members or {}
    table = snapshot.settings.route_scopes
    return {
        "audience": snapshot.settings.audience,
        "routes": table.entries if table else None,
        "cached": table is not None and table.shared is not None,
    }


def _cache_opens_routes(authorizer: Authorizer) -> Finding:
    api, own = authorizer.api_id, authorizer.authorizer_id
    sources = " ".join(
        quote(f"${source}") for source in sorted(authorizer.cache_key | METHOD_AND_PATH)
    )
    return Finding(
        "cache_opens_routes",
        Severity.ERROR,
        f"HTTP API {api} caches one answer for all its routes: a token that opens one "
        f"of them opens the others for {authorizer.result_ttl} s.",
        f"`aws apigatewayv2 update-authorizer --api-id {api} --authorizer-id {own} "
        f"--identity-source {sources}` caches one per method and path. Or turn the cache off: {_update_command(authorizer, 0)}",
        subject=api,
    )


def _cache_refuses_routes(authorizer: Authorizer, accepted: Mapping[str, Any]) -> Finding:
    api, routes = authorizer.api_id, accepted["routes"]
    options = "".join(f" --route {quote(f'{route}={routes[route]}')}" for route in routes)
    return Finding(
        "cache_refuses_routes",
        Severity.CRITICAL,
        f"REST API {api} caches one answer for all its routes, but its document "
        f"does not say so: after a call to one route, the others refuse the token for "
        f"{authorizer.result_ttl} s.",
        f"`keyturn api add {api} --audience {quote(accepted['audience'])}{options} --cached`. Or turn "
        f"the cache off: {_update_command(authorizer, 0)}",
        subject=api,
    )


def _caches_longer(authorizer: Authorizer, bound: int, *, is_own: bool) -> Finding:
    kind = "HTTP API" if authorizer.is_http else "REST API"
    target = f"{'http:' if authorizer.is_http else ''}{authorizer.api_id}/<stage>"
    name = "This stack's API" if is_own else f"{kind} {authorizer.api_id}"
    flush = "" if is_own else f"Add it to FlushTargets (`{target}`). Or: "
    return Finding(
        "authorizer_caches_longer",
        Severity.ERROR if is_own else Severity.WARNING,
        f"{name} keeps the authorizer's answers for {authorizer.result_ttl} s, ResultTtl is {bound}: "
        "it accepts tokens of a revoked key for so much longer than the bound.",
        f"{flush}{_update_command(authorizer, bound)}",
        subject=authorizer.api_id,
    )


def _update_command(authorizer: Authorizer, bound: int) -> str:
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
