"""Authorize a request: the token is checked here, against the keyset, with no AWS call when warm.

The token is bad: 401. It is good but opens no such route: 403. We are bad: an error, never a Deny
that a cache would keep, nor a 401 that makes clients drop good tokens.
"""

import json
from collections.abc import Mapping
from typing import Any

from keyturn.api import gateway
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import logger, metrics
from keyturn.keyset.model import EndedKey, Key
from keyturn.keyset.states import State
from keyturn.tokens.claims import Expected
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.verify import VerificationKey, verify


def authenticate(stack: Stack, token: str) -> dict[str, Any]:
    """The claims of a good token; raises TokenRefused, or a fault when we are bad."""

    def find_key(kid: str) -> VerificationKey:
        key = _acceptable(stack, kid)
        return VerificationKey(stack.public_keys.of(key), key.lifetime)

    settings, now = stack.settings, stack.clock.now()
    expected = Expected(settings.issuer, settings.audience, stack.times.leeway)
    return verify(token, find_key, expected, now=now.timestamp())


def _acceptable(stack: Stack, kid: str) -> Key:
    """The key, if its tokens count now; raises TokenRefused with what is wrong with it."""
    keyset = stack.view.current().keyset
    key = keyset.find(kid) or stack.view.refreshed().keyset.find(kid)
    if key is None:
        raise TokenRefused(Code.UNKNOWN_KID)
    if isinstance(key, EndedKey):
        raise TokenRefused(Code.KEY_REVOKED if key.state is State.REVOKED else Code.KEY_RETIRED)
    if not key.verifies(stack.clock.now()):
        raise TokenRefused(
            Code.KEY_NOT_PUBLISHED if key.state is State.STANDBY else Code.KEY_EXPIRED
        )
    return key


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """REST TOKEN, REST REQUEST and HTTP API 2.0 authorizer events."""
    stack = Stack.of_environment()
    call = gateway.Call.of(event)
    try:
        claims = authenticate(stack, call.bearer_token())
    except TokenRefused as refusal:
        logger.info("refused", code=refusal.code)
        metrics.add_metric("TokensRefusedByAuthorizer", "Count", 1)
        return call.unauthorized()
    metrics.add_metric("TokensAccepted", "Count", 1)
    return call.allowed(claims, stack.settings.route_scopes, context(claims))


def context(claims: Mapping[str, Any]) -> dict[str, str]:
    """What the integration is told: API Gateway passes strings, so the claims travel as JSON."""
    told = {name: claims[name] for name in ("sub", "client_id", "jti")}
    return {**told, "scope": claims.get("scope", ""), "claims": json.dumps(claims)}
