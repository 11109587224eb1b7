"""Authorize a request: check the token against the keyset, locally, with no AWS call when warm.

An invalid token gets 401; a valid token that does not open the route gets 403. If the service
itself fails, that is an error: never a Deny, which would be cached, nor a 401, which would make
clients drop valid tokens.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from keyturn.access.api import Api
from keyturn.api import gateway
from keyturn.api.gateway import Unauthorized
from keyturn.aws.faults import AwsFault
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Decision, Metric, log_decision, measure
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import EndedKey, Generation, Key
from keyturn.keyset.states import State
from keyturn.tokens.claims import check_claims
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from keyturn.tokens.verify import verify_signature

KID_LENGTH = 43  # characters of a SHA-256 thumbprint in base64url
CODE_BY_STATE: Mapping[State, Code] = {  # an active key always verifies
    State.STANDBY: Code.KEY_NOT_PUBLISHED,
    State.GRACE: Code.KEY_EXPIRED,
    State.RETIRED: Code.KEY_RETIRED,
    State.REVOKED: Code.KEY_REVOKED,
}


def handler(event: Any, lambda_context: Any) -> Mapping[str, Any]:
    """Answer the authorizer events of REST, HTTP and WebSocket APIs."""
    stack = Stack.from_environment()
    call = gateway.Call.from_event(event)
    try:
        answer = decide(stack, call, lambda_context.aws_request_id)
    except (AwsFault, KeysetFault):
        measure(Metric.AUTHORIZER_FAULTS, api=call.api_id)
        raise
    if answer is None and call.is_http_api:
        return gateway.NOT_AUTHORIZED
    if answer is None:
        # Lambda logs the traceback of every 401. Raised here, it has no further frames.
        raise Unauthorized
    return answer


def decide(stack: Stack, call: gateway.Call, request_id: str) -> Mapping[str, Any] | None:
    """The answer for a valid token, None for any other; logs the decision, without the token."""
    log_fields: dict[str, Any] = {"request_id": request_id, "key_state": "none"}
    try:
        text, api_id = call.bearer_token(), call.api_id
        token = UnverifiedToken.parse(text)
        generation = read_generation(stack, token.kid)
        log_fields |= _key_fields(generation, token.kid)
        claims, api = authenticate(stack, token, generation, api_id)
    except TokenRefused as refusal:
        log_decision(Decision.REFUSED, code=refusal.code, **log_fields)
        return None
    log_decision(Decision.ACCEPTED, code="ok", **log_fields)
    return call.allow(claims, api.routes, gateway.build_context(claims))


def read_generation(stack: Stack, kid: str) -> Generation:
    """The generation by which to judge a key; raises TokenRefused for an impossible kid."""
    if len(kid) != KID_LENGTH:  # no key ever has such a kid
        raise TokenRefused(Code.UNKNOWN_KID)
    generation = stack.view.get()
    if generation.keyset.find(kid):
        return generation
    return stack.view.get_fresh()  # with an older view, the key may have been published since


def authenticate(
    stack: Stack, token: UnverifiedToken, generation: Generation, api_id: str | None = None
) -> tuple[dict[str, Any], Api]:
    """The claims of a token that is valid for an API, and that API (None: one without a document).

    Raises TokenRefused, or AwsFault or KeysetFault if the service fails. The API's document is read
    only after the signature has been verified, so an unsigned token never causes a read.
    """
    now = stack.clock.now()
    key = acceptable_key(generation, token.kid, now)
    claims = verify_signature(token, stack.public_keys.get(key))
    api = stack.api(api_id)
    expected = stack.expectations(api.audience)
    check_claims(claims, expected, lifetime=key.lifetime, now=now.timestamp())
    if generation.keyset.refusing_cutoff(claims):
        raise TokenRefused(Code.CUT_OFF)
    return claims, api


def acceptable_key(generation: Generation, kid: str, now: datetime) -> Key:
    """The key, if its tokens are accepted at `now`; raises TokenRefused with the reason."""
    key = generation.keyset.find(kid)
    if key is None:
        raise TokenRefused(Code.UNKNOWN_KID)
    if isinstance(key, EndedKey) or not key.verifies(now):
        raise TokenRefused(CODE_BY_STATE[key.state])
    return key


def _key_fields(generation: Generation, kid: str) -> dict[str, Any]:
    """The key and generation that decide, for the log."""
    key = generation.keyset.find(kid)
    state = {"kid": kid, "key_state": key.state} if key else {}
    return {"generation": generation.number, **state}
