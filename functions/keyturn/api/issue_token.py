"""Issue a token: one `kms:Sign`, one RS256 access token back.

IAM says who may ask as which client: `POST /token/{client}`, or a direct Lambda invoke, which names the
client itself and is answered without the HTTP envelope. The client's document says what it may have.
"""

from collections.abc import Callable, Mapping
from typing import Any

from keyturn.access.client import Client
from keyturn.access.grant import NotGranted, TokenRequest, grant
from keyturn.api import token_request
from keyturn.api.answers import (
    BadRequest,
    ClientBlocked,
    Forbidden,
    JustCutOff,
    Refusal,
    Unavailable,
    http,
)
from keyturn.api.caller import Caller, named_client
from keyturn.api.gateway import MAX_RESULT, result_size
from keyturn.aws.faults import AwsFault, KeyUnusable, Throttled
from keyturn.aws.powertools import logger, metrics
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.tokens import claims, jws


def issue(stack: Stack, request: TokenRequest, caller: Caller, client: str) -> Mapping[str, Any]:
    """The token response of RFC 6749 section 5.1; raises Refusal.

    A key that KMS has disabled was revoked behind our view: read again, and sign with the next.
    """
    for read_generation in (stack.view.fresh, stack.view.reread):
        keyset, key = _active_key(read_generation)
        jti, now = stack.clock.new_id(), int(stack.clock.now().timestamp())
        wanted, signed = to_sign(stack, keyset, key, _client(stack, client), request, jti, now)
        try:
            signature = stack.kms.sign(key.kms_key_arn, signed.encode())
        except AwsFault as fault:
            logger.warning("cannot_sign", kid=key.kid, code=fault.code)
            failure = Unavailable(f"KMS cannot sign ({fault.code})")
            if isinstance(fault, Throttled):
                measure(Metric.SIGN_THROTTLED)
            if not isinstance(fault, KeyUnusable):
                break
            measure(Metric.DISABLED_KEY_USED)
        else:
            _audit_token(caller, key, wanted, jti, now)
            return {
                "access_token": jws.serialize(signed, signature),
                "token_type": "Bearer",
                "expires_in": wanted.lifetime,
                **({"scope": wanted.scope} if wanted.scope else {}),
            }
    raise failure


def to_sign(
    stack: Stack,
    keyset: Keyset,
    key: Key,
    client: Client,
    request: TokenRequest,
    jti: str,
    now: int,
) -> tuple[claims.TokenContents, str]:
    """What the token says, and the text to sign; `now` in epoch seconds. Raises Refusal."""
    wanted = _granted(client, request, key)
    _check_cutoffs(keyset, wanted, jti, now)
    return wanted, _signing_input(stack, key, wanted, jti, now)


def _active_key(read_generation: Callable[[], Generation]) -> tuple[Keyset, Key]:
    try:
        keyset = read_generation().keyset
    except (AwsFault, KeysetFault) as fault:
        logger.exception("no_view")
        raise Unavailable("the keyset cannot be read") from fault
    if keyset.active is None:
        raise Unavailable("no key is active")
    return keyset, keyset.active


def _client(stack: Stack, name: str) -> Client:
    """What the client may have, by a view of at most C, as for the keyset."""
    try:
        client = stack.client_views.view(name).fresh()
    except (AwsFault, KeysetFault) as fault:
        logger.exception("no_client")
        raise Unavailable("the client's document cannot be read") from fault
    if client is None:
        raise Forbidden("client: has no document")
    return client


def _granted(client: Client, request: TokenRequest, key: Key) -> claims.TokenContents:
    try:
        given = grant(client, request, key_lifetime=key.lifetime)
    except NotGranted as refusal:
        raise BadRequest(refusal.field, refusal.problem, refusal.code) from None
    return claims.TokenContents(
        given.subject, given.audience, client.name, given.lifetime, given.scope, given.claims
    )


def _check_cutoffs(keyset: Keyset, wanted: claims.TokenContents, jti: str, now: int) -> None:
    """Sign nothing that would be refused: a cut-off's instant lies a few seconds ahead of its write."""
    cutoff = keyset.refusing_cutoff(
        {"client_id": wanted.client_id, "sub": wanted.subject, "jti": jti, "iat": now}
    )
    if cutoff and cutoff.is_block:
        raise ClientBlocked
    if cutoff:
        raise JustCutOff(retry_after=int(cutoff.before.timestamp()) - now)


def _signing_input(stack: Stack, key: Key, wanted: claims.TokenContents, jti: str, now: int) -> str:
    try:
        made = claims.build(wanted, issuer=stack.settings.issuer, jti=jti, now=now)
        signed = jws.build_signing_input(key.kid, made)
        answer = result_size(made)
    except (ValueError, RecursionError):  # a lone surrogate, NaN, a nesting without end
        raise BadRequest("claims", "cannot be written as JSON") from None
    if jws.serialized_size(signed) > jws.MAX_BYTES:
        raise BadRequest("claims", f"make the token larger than {jws.MAX_BYTES} bytes")
    if answer > MAX_RESULT:
        raise BadRequest("claims", f"make the authorizer's answer larger than {MAX_RESULT} bytes")
    return signed


def _audit_token(
    caller: Caller, key: Key, wanted: claims.TokenContents, jti: str, now: int
) -> None:
    """One line per token, so that CloudTrail's Sign events can be checked against what was issued."""
    logger.info(
        "token_issued",
        jti=jti,
        kid=key.kid,
        sub=wanted.subject,
        exp=now + wanted.lifetime,
        **_who(caller),
    )
    metrics.add_metric("TokensIssued", "Count", 1)


def _audit_refusal(caller: Caller, refusal: Refusal) -> None:
    """One line per refusal: who, and the error's code; nothing of the request."""
    logger.info("token_refused", code=refusal.error, **_who(caller))
    metrics.add_metric("TokensRefused", "Count", 1)
    if refusal.metric:
        metrics.add_metric(refusal.metric, "Count", 1)


def _who(caller: Caller) -> dict[str, Any]:
    """Also properties of the metric's line: as dimensions each would be a metric to pay for."""
    who = {"client": caller.client, "role": caller.role, "session": caller.session}
    known = {name: value for name, value in who.items() if value is not None}
    for name, value in known.items():
        metrics.add_metadata(name, value)
    return known


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, _context: object) -> Mapping[str, Any]:
    """API Gateway's proxy event, or a direct invoke with a `client`."""
    stack = Stack.from_environment()
    over_http = isinstance(event, Mapping) and "requestContext" in event
    caller = Caller.from_http(event) if over_http else Caller.from_invoke(event)
    try:
        client = named_client(caller, event, over_http=over_http)
        request = (
            token_request.from_http(event, client)
            if over_http
            else token_request.from_invoke(event)
        )
        answer = issue(stack, request, caller, client)
    except Refusal as refusal:
        _audit_refusal(caller, refusal)
        return refusal.http() if over_http else refusal.body()
    return http(200, answer) if over_http else answer
