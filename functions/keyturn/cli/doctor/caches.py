"""Checks of API Gateway: does it keep the authorizer's answers for as long as the bound says?"""

from collections.abc import Iterator

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
