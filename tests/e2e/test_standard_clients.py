"""Published OAuth clients get tokens by the issuer's metadata; they only add IAM's signature."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import jwt
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from keyturn.aws.operator.deployment import Deployment
from tools.command import run

CLIENT, SCOPE, RESOURCE = "standard", "orders:read", "https://orders.example"
Ask = Callable[[str, str], Mapping[str, Any]]  # with an issuer and a scope


class Signature(requests.auth.AuthBase):
    """IAM's signature, as a `requests` plug-in."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign it as it will be sent."""
        session = boto3.Session()
        credentials = session.get_credentials()
        assert credentials is not None
        text = {"Content-Type": request.headers["Content-Type"]}
        signed = AWSRequest(request.method, request.url, data=request.body, headers=text)
        SigV4Auth(credentials, "execute-api", session.region_name).add_auth(signed)
        request.headers.update(dict(signed.headers))
        return request


def _token_url(issuer: str) -> str:
    url = f"{issuer}/.well-known/oauth-authorization-server"
    metadata = requests.get(url, timeout=10).json()
    assert metadata["grant_types_supported"] == ["client_credentials"]
    return f"{metadata['token_endpoint']}/{CLIENT}"


def _requests_oauthlib(issuer: str, scope: str) -> Mapping[str, Any]:
    session = OAuth2Session(client=BackendApplicationClient(CLIENT, scope=scope))
    token: Mapping[str, Any] = session.fetch_token(
        _token_url(issuer), auth=Signature(), include_client_id=True, resource=RESOURCE
    )
    return token


def _authlib(issuer: str, scope: str) -> Mapping[str, Any]:
    session = AuthlibSession(CLIENT, scope=scope)
    token: Mapping[str, Any] = session.fetch_token(
        _token_url(issuer), grant_type="client_credentials", auth=Signature(), resource=RESOURCE
    )
    return token


def _oauth4webapi(issuer: str, scope: str) -> Mapping[str, Any]:
    script = Path(__file__).with_name("standard_client.mjs")
    ran = run("node", script, issuer, CLIENT, scope, RESOURCE)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    token: Mapping[str, Any] = json.loads(ran.stdout)
    return token


@pytest.fixture(scope="module")
def issuer(deployment: Deployment) -> str:
    """The issuer, with a client that may ask for one scope."""
    document = {"audiences": [RESOURCE], "scopes": [SCOPE]}
    deployment.client_documents.put(CLIENT, json.dumps(document))
    return deployment.outputs["Issuer"]


@pytest.fixture(params=[_requests_oauthlib, _authlib, _oauth4webapi])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Each client; the local AWS speaks HTTP."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    ask: Ask = request.param
    return ask


def test_a_standard_client_gets_a_token(ask: Ask, issuer: str) -> None:
    """A form with `grant_type=client_credentials` (RFC 6749 section 4.4); the subject is the client."""
    token = ask(issuer, SCOPE)
    assert token["token_type"].lower() == "bearer"  # oauth4webapi gives it in lower case
    claims = jwt.decode(token["access_token"], options={"verify_signature": False})
    names = ("iss", "sub", "client_id", "aud", "scope")
    assert [claims[name] for name in names] == [issuer, CLIENT, CLIENT, RESOURCE, SCOPE]


def test_a_standard_client_understands_a_refusal(ask: Ask, issuer: str) -> None:
    """A scope that the client's document does not list: `invalid_scope` (RFC 6749 section 5.2)."""
    with pytest.raises(Exception, match="invalid_scope"):
        ask(issuer, "orders:write")
