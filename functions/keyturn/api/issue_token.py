"""Issue a token: one `kms:Sign` call per RS256 access token.

IAM decides which principal may act as which client: by `POST /token/{client}`, or by a direct
Lambda invoke, which names the client in its event and is answered without the HTTP envelope. The
client's document says what it may have.
"""

from collections.abc import Callable, Mapping
from typing import Any

from keyturn.access.client import Client
from keyturn.access.grant import Grant, NotGranted, TokenRequest, grant
from keyturn.api import token_request
from keyturn.api.answers import (
    BadRequest,
    ClientBlocked,
    Forbidden,
    JustCutOff,
    Refusal,
    Unavailable,
    json_response,
)
from keyturn.api.caller import Caller, require_client
from keyturn.api.gateway import MAX_RESULT, result_size
from keyturn.aws.faults import AwsFault, KeyUnusable, Throttled
from keyturn.aws.powertools import logger, metrics
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.tokens import claims, jws


class KeyDisabled(Unavailable):
    """KMS refuses the key, which was revoked after the view was read."""


def issue(stack: Stack, request: TokenRequest, caller: Caller, client: str) -> Mapping[str, Any]:
    """The token response of RFC 6749 section 5.1; raises Refusal."""
    try:
        return _sign(stack, stack.view.get_fresh, request, caller, client)
    except KeyDisabled:  # read again, once, and sign with the key that is now active
        return _sign(stack, stack.view.reread, request, caller, client)


def _sign(
    stack: Stack,
    read_generation: Callable[[], Generation],
    request: TokenRequest,
    caller: Caller,
    client: str,
) -> Mapping[str, Any]:
    keyset, key = _active_key(read_generation)
    members, signing_input = prepare(stack, keyset, key, _client(stack, client), request)
    try:
        signature = stack.kms.sign(key.kms_key_arn, signing_input.encode())
    except AwsFault as fault:
        raise _cannot_sign(key, fault) from None
    _audit_token(caller, key, members)
    return {
        "access_token": jws.serialize(signing_input, signature),
        "token_type": "Bearer",
        "expires_in": members["exp"] - members["iat"],
        **({"scope": members["scope"]} if "scope" in members else {}),
    }


def _cannot_sign(key: Key, fault: AwsFault) -> Unavailable:
    logger.warning("cannot_sign", kid=key.kid, code=fault.code)
    if isinstance(fault, Throttled):
        measure(Metric.SIGN_THROTTLED)
    if isinstance(fault, KeyUnusable):
        measure(Metric.DISABLED_KEY_USED)
    kind = KeyDisabled if isinstance(fault, KeyUnusable) else Unavailable
    return kind(f"KMS cannot sign ({fault.code})")


def prepare(
    stack: Stack, keyset: Keyset, key: Key, client: Client, request: TokenRequest
) -> tuple[Mapping[str, Any], str]:
    """The token's claims and the text to sign; raises Refusal."""
    granted = _grant(client, request, key)
    members = claims.build(
        issuer=stack.settings.issuer,
        subject=granted.subject,
        audience=granted.audience,
        client_id=client.name,
        jti=stack.clock.new_id(),
        now=int(stack.clock.now().timestamp()),
        lifetime=granted.lifetime,
        scope=granted.scope,
        extra=granted.claims,
    )
    _check_cutoffs(keyset, members)
    return members, _build_signing_input(key, members)


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
    """What the client may have, by a view at most C old, as for the keyset; raises Refusal."""
    try:
        client = stack.client_views.view(name).get_fresh()
    except (AwsFault, KeysetFault) as fault:
        logger.exception("no_client")
        raise Unavailable("the client's document cannot be read") from fault
    if client is None:
        raise Forbidden("client: has no document")
    return client


def _grant(client: Client, request: TokenRequest, key: Key) -> Grant:
    try:
        return grant(client, request, key_lifetime=key.lifetime)
    except NotGranted as refusal:
        raise BadRequest(refusal.field, refusal.problem, refusal.code) from None


def _check_cutoffs(keyset: Keyset, members: Mapping[str, Any]) -> None:
    """Refuse to sign a token that a cut-off would refuse; its time may be seconds in the future."""
    cutoff = keyset.refusing_cutoff(members)
    if cutoff and cutoff.is_block:
        raise ClientBlocked
    if cutoff:
        raise JustCutOff(retry_after=int(cutoff.before.timestamp()) - members["iat"])


def _build_signing_input(key: Key, members: Mapping[str, Any]) -> str:
    try:
        signing_input = jws.build_signing_input(key.kid, members)
        answer_size = result_size(members)
    except (ValueError, RecursionError):  # a lone surrogate, NaN, nested too deeply
        raise BadRequest("claims", "cannot be written as JSON") from None
    if jws.serialized_size(signing_input) > jws.MAX_BYTES:
        raise BadRequest("claims", f"make the token larger than {jws.MAX_BYTES} bytes")
    if answer_size > MAX_RESULT:
        raise BadRequest("claims", f"make the authorizer's answer larger than {MAX_RESULT} bytes")
    return signing_input


def _audit_token(caller: Caller, key: Key, members: Mapping[str, Any]) -> None:
    """Log one line per token, so that CloudTrail's Sign events can be checked against it."""
    logger.info(
        "token_issued",
        jti=members["jti"],
        kid=key.kid,
        sub=members["sub"],
        exp=members["exp"],
        **_add_caller(caller),
    )
    metrics.add_metric("TokensIssued", "Count", 1)


def _audit_refusal(caller: Caller, refusal: Refusal) -> None:
    """Log one line per refusal: the caller and the error's code, but nothing from the request."""
    logger.info("token_refused", code=refusal.error, **_add_caller(caller))
    metrics.add_metric("TokensRefused", "Count", 1)
    if refusal.metric:
        metrics.add_metric(refusal.metric, "Count", 1)


def _add_caller(caller: Caller) -> dict[str, Any]:
    """The caller, also added to the metric's line as properties: dimensions would cost money."""
    members = {"client": caller.client, "role": caller.role, "session": caller.session}
    fields = {name: value for name, value in members.items() if value is not None}
    for name, value in fields.items():
        metrics.add_metadata(name, value)
    return fields


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: Any, _context: object) -> Mapping[str, Any]:
    """Answer API Gateway's proxy event, or a direct invoke with a `client`."""
    stack = Stack.from_environment()
    is_http = isinstance(event, Mapping) and "requestContext" in event
    caller = Caller.from_http(event) if is_http else Caller.from_invoke(event)
    try:
        client = require_client(caller, event, is_http=is_http)
        request = (
            token_request.from_http(event, client) if is_http else token_request.from_invoke(event)
        )
        answer = issue(stack, request, caller, client)
    except Refusal as refusal:
        _audit_refusal(caller, refusal)
        return refusal.to_http() if is_http else refusal.body()
    return json_response(200, answer) if is_http else answer
