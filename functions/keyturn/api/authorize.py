"""Authorize a request: the token is checked here, against the keyset, with no AWS call when warm.

The token is bad: 401. It is good but opens no such route: 403. We are bad: an error, never a Deny
that a cache would keep, nor a 401 that makes clients drop good tokens.
"""

from collections.abc import Mapping
from typing import Any

from keyturn.access.api import Api
from keyturn.api import gateway
from keyturn.api.gateway import Unauthorized
from keyturn.aws.faults import AwsFault
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Decision, Metric, log_decision, measure
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from keyturn.tokens.claims import check
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.verify import VerificationKey, read_signed

KID_LENGTH = 43  # characters of base64url that a SHA-256 thumbprint has
REFUSED_AS: Mapping[State, Code] = {  # an active key's tokens always count
    State.STANDBY: Code.KEY_NOT_PUBLISHED,
    State.GRACE: Code.KEY_EXPIRED,
    State.RETIRED: Code.KEY_RETIRED,
    State.REVOKED: Code.KEY_REVOKED,
}
_EMPTY = Keyset()  # until a key was found


def authenticate(
    stack: Stack, token: str, log_fields: dict[str, Any], api_id: str | None = None
) -> tuple[dict[str, Any], Api]:
    """The claims of a token that is good for an API (None: for one without a document), and what it accepts.

    Raises TokenRefused, or a fault when we are bad. The API's document is looked at behind the
    signature: what nobody signed makes no container read it. `log_fields` gets what the log may hold:
    which key and generation decided, nothing of the token.
    """

    keyset = _EMPTY

    def find_key(kid: str) -> VerificationKey:
        nonlocal keyset
        keyset, key = _acceptable(stack, kid, log_fields)
        return VerificationKey(stack.public_keys.get(key), key.lifetime)

    now = stack.clock.now().timestamp()
    signed = read_signed(token, find_key, headers=stack.headers)
    api = stack.api(api_id)
    check(signed.claims, stack.expected(api.audience), lifetime=signed.lifetime, now=now)
    if keyset.refusing_cutoff(signed.claims):
        raise TokenRefused(Code.CUT_OFF)
    return signed.claims, api


def _acceptable(stack: Stack, kid: str, log_fields: dict[str, Any]) -> tuple[Keyset, Key]:
    """The key, if its tokens count now; raises TokenRefused with what is wrong with it."""
    if len(kid) != KID_LENGTH:  # no key has it, now or later
        raise TokenRefused(Code.UNKNOWN_KID)
    generation = stack.view.current()
    key = generation.keyset.find(kid)
    if key is None:  # an older view cannot tell: the key may have been published since
        generation = stack.view.fresh()
        key = generation.keyset.find(kid)
    log_fields["generation"] = generation.number
    if key is None:
        raise TokenRefused(Code.UNKNOWN_KID)
    log_fields["kid"], log_fields["key_state"] = key.kid, key.state
    if isinstance(key, EndedKey) or not key.verifies(stack.clock.now()):
        raise TokenRefused(REFUSED_AS[key.state])
    return generation.keyset, key


def handler(event: Any, lambda_context: Any) -> Mapping[str, Any]:
    """The authorizer events of REST, HTTP and WebSocket APIs."""
    stack = Stack.from_environment()
    call = gateway.Call.from_event(event)
    log_fields = {"request_id": lambda_context.aws_request_id, "key_state": "none"}
    accepted = None
    try:
        accepted = authenticate(stack, call.bearer_token(), log_fields, call.api_id)
    except TokenRefused as refusal:
        log_decision(Decision.REFUSED, code=refusal.code, **log_fields)
    except (AwsFault, KeysetFault):
        measure(Metric.AUTHORIZER_FAULTS, api=call.api_id)
        raise
    if accepted is None and call.http_api:
        return gateway.NOT_AUTHORIZED
    if accepted is None:
        # Lambda logs this line and each deeper frame of every 401: nothing behind it, nothing below it.
        raise Unauthorized
    log_decision(Decision.ACCEPTED, code="ok", **log_fields)
    claims, api = accepted
    return call.allowed(claims, api.routes, gateway.integration_context(claims))
