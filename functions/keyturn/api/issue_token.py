"""Issue a token: one `kms:Sign`, one RS256 access token back.

Over HTTP (`POST /token`, IAM auth) the client is the caller's ARN; a direct Lambda invoke says who
it is for and is answered without the HTTP envelope.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from keyturn.api.answers import BadRequest, Refusal, Unavailable, http
from keyturn.api.token_request import TokenRequest
from keyturn.aws.faults import AwsFault, KeyUnusable, Throttled
from keyturn.aws.powertools import logger, metrics
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Key
from keyturn.tokens import claims, jws, strict_json
from keyturn.tokens.errors import ClaimsInvalid

MAX_BODY = 32 * 1024


def issue(stack: Stack, request: TokenRequest, client_id: str) -> Mapping[str, Any]:
    """The token response of RFC 6749 section 5.1; raises Refusal.

    A key that KMS has disabled was revoked behind our view: read again, and sign with the next.
    """
    for read_generation in (stack.view.fresh, stack.view.reread):
        key = _active_key(read_generation)
        wanted = _wanted(stack, request, client_id, key)
        jti, now = stack.clock.new_id(), int(stack.clock.now().timestamp())
        signed = _signing_input(stack, key, wanted, jti, now)
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
            _audit(key, wanted, jti, now)
            return {
                "access_token": jws.compact(signed, signature),
                "token_type": "Bearer",
                "expires_in": wanted.lifetime,
                "scope": wanted.scope,
            }
    raise failure


def _active_key(read_generation: Callable[[], Generation]) -> Key:
    try:
        active = read_generation().keyset.active
    except (AwsFault, KeysetFault) as fault:
        logger.exception("no_view")
        raise Unavailable("the keyset cannot be read") from fault
    if active is None:
        raise Unavailable("no key is active")
    return active


def _audit(key: Key, wanted: claims.Request, jti: str, now: int) -> None:
    """One line a token, so that CloudTrail's Sign events can be held against what was issued."""
    logger.info(
        "token_issued",
        jti=jti,
        kid=key.kid,
        sub=wanted.subject,
        client_id=wanted.client_id,
        exp=now + wanted.lifetime,
    )
    metrics.add_metric("TokensIssued", "Count", 1)


def _wanted(stack: Stack, request: TokenRequest, client_id: str, key: Key) -> claims.Request:
    """The request with its defaults, if it is allowed; raises BadRequest with the field's name."""
    settings = stack.settings
    audience = request.audience or settings.audience
    if audience not in settings.allowed_audiences:
        raise BadRequest("audience", "is not one of the allowed audiences")
    if not set(request.scope.split(" ")) <= {*settings.allowed_scopes, ""}:
        raise BadRequest("scope", "holds a scope that is not allowed")
    lifetime = key.lifetime if request.lifetime is None else request.lifetime
    if lifetime > key.lifetime:
        raise BadRequest("lifetime", f"is above the maximum of {key.lifetime} seconds")
    scope = " ".join(request.scope.split())
    return claims.Request(request.subject, audience, client_id, lifetime, scope, request.claims)


def _signing_input(stack: Stack, key: Key, wanted: claims.Request, jti: str, now: int) -> str:
    try:
        made = claims.make(wanted, issuer=stack.settings.issuer, jti=jti, now=now)
        signed = jws.signing_input(key.kid, made)
    except ClaimsInvalid as error:
        raise BadRequest(error.field, error.problem) from None
    except (ValueError, RecursionError):  # a lone surrogate, NaN, a nesting without end
        raise BadRequest("claims", "cannot be written as JSON") from None
    if jws.compact_size(signed) > jws.MAX_BYTES:
        raise BadRequest("claims", f"make the token larger than {jws.MAX_BYTES} bytes")
    return signed


def _body(event: Mapping[str, Any]) -> TokenRequest:
    body = "" if event.get("body") is None else event["body"]
    if not isinstance(body, str):
        raise BadRequest("body", "should be a text")
    if len(body) > MAX_BODY * 4 / 3:
        raise BadRequest("body", f"is larger than {MAX_BODY} bytes")
    try:
        raw = (
            base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        )
    except ValueError:
        encoding = "base64" if event.get("isBase64Encoded") else "UTF-8"
        raise BadRequest("body", f"is not {encoding}") from None
    if len(raw) > MAX_BODY:
        raise BadRequest("body", f"is larger than {MAX_BODY} bytes")
    try:
        members = strict_json.loads(raw)
    except ValueError:
        raise BadRequest("body", "is not JSON, or no object") from None
    return TokenRequest.over_http(members)


def _caller(event: Mapping[str, Any]) -> str:
    """The ARN that API Gateway's IAM auth found; raises BadRequest."""
    match event["requestContext"]:
        case {"identity": {"userArn": str(arn)}} if arn:
            return arn
    raise BadRequest("client_id", "the caller has no ARN: the route needs IAM auth")


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, _context: object) -> Mapping[str, Any]:
    """API Gateway's proxy event, or a direct invoke with a `client_id`."""
    stack = Stack.from_environment()
    over_http = isinstance(event, Mapping) and "requestContext" in event
    try:
        if over_http:
            caller = _caller(event)
            answer = issue(stack, _body(event), caller)
        else:
            direct = TokenRequest.direct(event)
            answer = issue(stack, direct, direct.client_id)
    except Refusal as refusal:
        metrics.add_metric("TokensRefused", "Count", 1)
        return refusal.http() if over_http else refusal.body()
    return http(200, answer) if over_http else answer
