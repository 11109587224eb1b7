"""What the API tests share: tokens of any content, authorizer events of each kind, what leaked."""

import json
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from keyturn.access.routes import RouteTable, parse_entries
from keyturn.api import authorize
from keyturn.tokens import jws
from tests.unit.stage import invoke, truth

API = "arn:aws:execute-api:us-east-1:123456789012:api1/v1"


@pytest.fixture
def mint(booted, cloud, clock):
    """A token signed by one of the stack's own KMS keys (by default the active one), as told."""

    def mint(key=None, **changes) -> str:
        key = key or truth(cloud).active
        now = int(clock.now().timestamp())
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

    return mint


@pytest.fixture
def events():
    """Authorizer events by kind: REST TOKEN, REST REQUEST, HTTP API 2.0, WebSocket."""

    def token(header, route="GET/orders"):
        return {"type": "TOKEN", "methodArn": f"{API}/{route}", "authorizationToken": header}

    def request(header, route="GET/orders"):
        headers = {"Host": "api.example", **({} if header is None else {"Authorization": header})}
        return {"type": "REQUEST", "methodArn": f"{API}/{route}", "headers": headers}

    def http(header, route="GET/orders"):
        headers = {"host": "api.example", **({} if header is None else {"authorization": header})}
        return {
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": f"{API}/{route}",
            "identitySource": [header],
            "headers": headers,
        }

    def websocket(header, route="$connect"):
        return {
            **request(header, route),
            "requestContext": {
                "routeKey": "$connect",
                "eventType": "CONNECT",
                "connectionId": "c1",
                "apiId": "api1",
                "stage": "v1",
            },
        }

    return SimpleNamespace(token=token, request=request, http=http, websocket=websocket)


@pytest.fixture
def ask(booted, events):
    """Ask about an Authorization header; the REST answer `Unauthorized` comes back as 401."""

    def ask(header, kind="token", **event):
        try:
            return invoke(authorize, getattr(events, kind)(header, **event))
        except Exception as error:
            if str(error) == "Unauthorized":
                return 401
            raise

    return ask


@pytest.fixture
def routed(container, booted):
    """A container whose authorizer has this route table; `cached` as with a result cache."""

    def routed(text, *, cached=False):
        table = RouteTable.parse(parse_entries(text), cached=cached)
        return container(route_scopes=table)

    return routed


@pytest.fixture
def logged(printed):
    """The log lines, parsed."""

    def logged() -> list[dict]:
        lines = [line for line in printed().splitlines() if line.startswith("{")]
        return [entry for entry in map(json.loads, lines) if "message" in entry]

    return logged


@pytest.fixture
def silent(printed, caplog):
    """Insist that nothing of a token was written anywhere by this process."""

    def silent(token) -> None:
        everything = printed() + caplog.text
        pieces = [token, *token.split("."), *token.split()] if isinstance(token, str) else []
        for piece in pieces:
            if len(piece) > 12:
                assert piece not in everything
                assert piece[:24] not in everything

    return silent


def accepted(ask, token):
    """Whether a token is accepted."""
    return ask(f"Bearer {token}") != 401
