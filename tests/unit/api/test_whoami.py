"""GET /whoami: the claims of the token, as the integration gets them."""

import json

from keyturn.api import authorize, issue_token, whoami
from tests.unit.api import events
from tests.unit.stage import invoke


def test_whoami_shows_the_verified_claims(booted, clock):
    """A token from the issuer, passed through the authorizer, comes back as its claims."""
    issued = invoke(
        issue_token, {"subject": "user-1", "client": "batch-1", "claims": {"tenant": {"id": 7}}}
    )
    allowed = invoke(authorize, events.token(f"Bearer {issued['access_token']}", "GET/whoami"))
    answer = invoke(whoami, {"requestContext": {"authorizer": allowed["context"]}})
    now = int(clock.now().timestamp())
    assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (200, "no-store")
    assert json.loads(answer["body"]) == {
        "iss": booted.settings.issuer,
        "sub": "user-1",
        "aud": "orders",
        "exp": now + 15,
        "iat": now,
        "nbf": now,
        "jti": "id-1",
        "client_id": "batch-1",
        "tenant": {"id": 7},
    }
