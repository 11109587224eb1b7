"""Published OAuth clients get tokens: they find the issuer's metadata, and IAM's signature is all they add."""

import json
import subprocess
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
    found = requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=10).json()
    assert found["grant_types_supported"] == ["client_credentials"]
    return f"{found['token_endpoint']}/{CLIENT}"


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
    script = str(Path(__file__).parent / "standard_client.mjs")
    ran = subprocess.run(
        ["node", script, issuer, CLIENT, scope, RESOURCE],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    token: Mapping[str, Any] = json.loads(ran.stdout)
    return token


@pytest.fixture(scope="module")
def issuer(deployment: Deployment) -> str:
    """The issuer, with a client that may ask for one scope."""
    document = {"audiences": [RESOURCE], "scopes": [SCOPE]}
    name = f"/keyturn/{deployment.stack}/clients/{CLIENT}"
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=name, Value=json.dumps(document), Type="String", Overwrite=True)
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
    said = {name: claims[name] for name in ("iss", "sub", "client_id", "aud", "scope")}
    assert said == {
        "iss": issuer,
        "sub": CLIENT,
        "client_id": CLIENT,
        "aud": RESOURCE,
        "scope": SCOPE,
    }


def test_a_standard_client_understands_a_refusal(ask: Ask, issuer: str) -> None:
    """A scope that the client's document does not list: `invalid_scope` (RFC 6749 section 5.2)."""
    with pytest.raises(Exception, match="invalid_scope"):
        ask(issuer, "orders:write")
