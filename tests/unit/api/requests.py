"""What the API tests ask, and the tokens they ask with."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from keyturn.access.routes import RouteTable, parse_entries
from keyturn.api import authorize, issue_token
from keyturn.tokens import jws
from tests.unit.api import events
from tests.unit.stage import invoke, truth

CALLER = "arn:aws:sts::123456789012:assumed-role/Shop/session"


def accepted(token):
    """Whether a token is accepted."""
    return ask(f"Bearer {token}") != 401


def mint(booted, cloud, key=None, **changes) -> str:
    """A token signed by one of the stack's own KMS keys (by default the active one), as told."""
    key = key or truth(cloud).active
    now = int(booted.clock.now().timestamp())
    claims = {
        "iss": booted.settings.issuer,
        "sub": "user-1",
        "aud": "orders",
        "exp": now + 15,
        "iat": now,
        "nbf": now,
        "jti": "jti-1",
        "client_id": "client-1",
        "scope": "orders:read",
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not ...}
    signed = jws.build_signing_input(key.kid, claims)
    private = cloud.kms.keys[key.kms_key_arn].private
    signature = private.sign(signed.encode(), PKCS1v15(), SHA256())
    return jws.serialize(signed, signature)


def ask(header, kind="token", **event):
    """Ask about an Authorization header; the REST answer `Unauthorized` comes back as 401."""
    try:
        return invoke(authorize, getattr(events, kind)(header, **event))
    except Exception as error:
        if str(error) == "Unauthorized":
            return 401
        raise


def post(body, client="shop", caller=CALLER, **event):
    """`POST /token/{client}` as API Gateway sends it on."""
    return invoke(
        issue_token,
        {
            "resource": "/token/{client}",
            "path": f"/token/{client}",
            "pathParameters": {"client": client},
            "httpMethod": "POST",
            "body": body if isinstance(body, str) else json.dumps(body),
            "isBase64Encoded": False,
            "requestContext": {"identity": {"userArn": caller}},
            **event,
        },
    )


def logged(printed) -> list[dict[str, Any]]:
    """The log lines, parsed."""
    lines = [line for line in printed().splitlines() if line.startswith("{")]
    return [entry for entry in map(json.loads, lines) if "message" in entry]


def silent(printed, caplog, token) -> None:
    """Insist that nothing of a token was written anywhere by this process."""
    everything = printed() + caplog.text
    pieces = [token, *token.split("."), *token.split()] if isinstance(token, str) else []
    for piece in pieces:
        if len(piece) > 12:
            assert piece not in everything
            assert piece[:24] not in everything


def routed(container, text, *, cached=False):
    """A container whose authorizer has this route table; `cached` as with a result cache."""
    table = RouteTable.parse(parse_entries(text), cached=cached)
    return container(route_scopes=table)
