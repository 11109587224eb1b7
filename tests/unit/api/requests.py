"""Requests to the authorizer and the issuer, and the tokens in them."""

import json
from typing import Any

from keyturn.access.routes import RouteTable, parse_entries
from keyturn.api import authorize, issue_token
from keyturn.api.gateway import Unauthorized
from keyturn.tokens import jws
from tests.cloud import material
from tests.unit.api import events
from tests.unit.stage import invoke, truth
from tests.unit.tokens.forge import forge

CALLER = "arn:aws:sts::123456789012:assumed-role/Shop/session"


def decide(event) -> Any:
    """The authorizer's answer; None if it refuses the token in the way of that kind of API.

    A REST API hears `Unauthorized`, an HTTP API `isAuthorized: False` without a context.
    """
    is_http_api = event.get("version") == "2.0"
    try:
        answer = invoke(authorize, event)
    except Unauthorized as error:
        assert str(error) == "Unauthorized"
        assert not is_http_api
        return None
    return None if is_http_api and answer == {"isAuthorized": False} else answer


def ask(token, kind="token", **where) -> Any:
    """Decide about a bearer token; `where` is a route or an API."""
    return decide(getattr(events, kind)(f"Bearer {token}", **where))


def accepted(token) -> bool:
    """Whether a token is accepted."""
    return ask(token) is not None


def mint(booted, cloud, key=None, **changes) -> str:
    """A token signed by one of the stack's KMS keys, by default the active one; `...` omits a claim."""
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
    return jws.serialize(signed, material.sign(private, signed.encode()))


def forge_by_kid(rsa_key, kid="k" * 43) -> str:
    """A well-formed token whose kid is unknown."""
    return forge(rsa_key, {"alg": "RS256", "kid": kid, "typ": "at+jwt"}, {"iss": "x"})


def post(body, client="shop", caller=CALLER, **event):
    """`POST /token/{client}` as API Gateway passes it on."""
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


def request_token(body, client="shop", caller=CALLER, **event) -> tuple[int, dict[str, Any]]:
    """Post a token request; returns the status and the body of an answer that is never cached."""
    answer = post(body, client, caller, **event)
    assert answer["headers"]["Cache-Control"] == "no-store"
    return answer["statusCode"], json.loads(answer["body"])


def logged(printed, message=None) -> list[dict[str, Any]]:
    """The log lines, parsed: those with this message, or all."""
    lines = [line for line in printed().splitlines() if line.startswith("{")]
    entries = [entry for entry in map(json.loads, lines) if "message" in entry]
    return [entry for entry in entries if message in (None, entry["message"])]


def check_silent(printed, caplog, token) -> None:
    """Insist that this process has written no part of a token anywhere."""
    everything = printed() + caplog.text
    for piece in (token, *token.split(".")):
        if len(piece) > 12:
            assert piece not in everything
            assert piece[:24] not in everything


def routed(container, text, *, cached=False):
    """A container whose authorizer has this route table; `cached` as with a result cache."""
    table = RouteTable.parse(parse_entries(text), cached=cached)
    return container(route_scopes=table)
