"""The API over HTTP: which requests are accepted and which are refused, with their answers."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import boto3
import jwt
import pytest
import urllib3

from keyturn.aws.operator.deployment import Deployment
from tools.demo import story


def claims_of(token: str) -> dict[str, Any]:
    """The claims, unverified."""
    return jwt.decode(token, options={"verify_signature": False})


def test_the_story_of_a_token_holds(deployment: Deployment) -> None:
    """The demo's own steps: issue, accept, refuse, and verify with an independent library."""
    story.comes_up(deployment)
    story.lets_in(deployment)
    story.others_verify(deployment)


def test_a_token_without_the_scope_is_forbidden(deployment: Deployment) -> None:
    """A valid token that lacks the route's scope gets 403, not 401, so the client keeps it."""
    token = deployment.post_token({"subject": "alice"}).body["access_token"]
    assert deployment.get("/whoami", token).status == 403


def test_the_issuer_knows_its_caller(deployment: Deployment) -> None:
    """`client_id` is the client's name; who signed the request is in the audit line."""
    token = deployment.post_token({"subject": "alice"}).body["access_token"]
    claims = claims_of(token)
    assert claims["client_id"] == "operator"
    assert claims["exp"] - claims["iat"] == story.TIMES["TokenLifetime"]


def test_a_form_gets_the_client_a_token_of_its_own(deployment: Deployment) -> None:
    """`grant_type=client_credentials` with the caller's IAM signature: the subject is the client."""
    form = urlencode({"grant_type": "client_credentials", "scope": "whoami:read"}).encode()
    answer = deployment.post_token(form, content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    shown = deployment.get("/whoami", answer.body["access_token"])
    assert (shown.status, shown.body["sub"]) == (200, "operator")


def test_a_team_declares_its_client_and_removes_it(deployment: Deployment) -> None:
    """A client gets what its document says from C + ε on, and nothing once the document is removed."""
    settle = deployment.settings.times.view_ttl + deployment.settings.times.clock_skew
    assert deployment.post_token({}, client="billing").body["error"] == "unauthorized_client"
    deployment.client_documents.put("billing", '{"audiences": ["keyturn"], "claims": ["tenant"]}')
    time.sleep(settle)
    answer = deployment.post_token({"claims": {"tenant": 7}}, client="billing")
    claims = claims_of(answer.body["access_token"])
    assert (claims["sub"], claims["tenant"]) == ("billing", 7)
    deployment.client_documents.remove("billing")
    time.sleep(settle)
    answer = deployment.post_token({}, client="billing")
    assert (answer.status, answer.body["error"]) == (403, "unauthorized_client")


def test_a_direct_invoke_obeys_the_document(deployment: Deployment) -> None:
    """A caller that invokes the function directly names the client, and gets no more than it may have."""
    issuer = boto3.client("cloudformation").describe_stack_resource(
        StackName=deployment.stack, LogicalResourceId="IssueTokenFunction"
    )["StackResourceDetail"]["PhysicalResourceId"]

    def invoke(**event: str) -> dict[str, str]:
        payload = json.dumps({"client": "operator", "subject": "alice", **event})
        answer = boto3.client("lambda").invoke(FunctionName=issuer, Payload=payload)
        return dict(json.load(answer["Payload"]))

    assert invoke()["token_type"] == "Bearer"
    assert invoke(scope="root")["error"] == "invalid_scope"
    assert invoke(client="nobody")["error"] == "unauthorized_client"


def test_an_anonymous_request_is_refused(deployment: Deployment) -> None:
    """Without an IAM signature the route answers 403."""
    assert deployment.post_token({"subject": "alice"}, signed=False).status == 403


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        (b"{nope", "invalid_request", "body"),
        (b"[]", "invalid_request", "body"),
        ({"subject": "a", "colour": "red"}, "invalid_request", "colour"),
        ({"subject": "a", "claims": {"iss": "me"}}, "invalid_request", "claims.iss"),
        ({"subject": "a", "claims": {"tenant": 7}}, "invalid_request", "claims.tenant"),
        ({"subject": "a", "lifetime": 0}, "invalid_request", "lifetime"),
        ({"subject": "a", "lifetime": 16}, "invalid_request", "lifetime"),
        ({"subject": "a", "audience": "elsewhere"}, "invalid_target", "audience"),
        ({"subject": "a", "scope": "root"}, "invalid_scope", "scope"),
        ({"subject": "a", "claims": {"x": "y" * 33000}}, "invalid_request", "body"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_request_is_refused_by_its_field(
    deployment: Deployment, body: dict[str, object] | bytes, error: str, field: str
) -> None:
    """A bad request gets 400 with the error of RFC 6749 or RFC 8707, the field's name first."""
    answer = deployment.post_token(body)
    assert answer.status == 400
    assert answer.body["error"] == error
    assert answer.body["error_description"].startswith(field)


def test_verifiers_elsewhere_find_everything(deployment: Deployment) -> None:
    """Discovery document and JWKS name the issuer of the tokens and carry max-age."""
    issuer = deployment.outputs["Issuer"]
    discovery = deployment.fetch(f"{issuer}/.well-known/openid-configuration")
    jwks = deployment.fetch(deployment.outputs["JwksUrl"])
    assert discovery.body["issuer"] == issuer
    assert discovery.body["jwks_uri"] == deployment.outputs["JwksUrl"]
    assert jwks.headers["Cache-Control"] == "public, max-age=1"
    assert jwks.headers["Content-Type"] == "application/jwk-set+json"
    assert discovery.headers["Content-Type"] == "application/json"
    assert all(set(key) == {"kty", "use", "alg", "kid", "n", "e"} for key in jwks.body["keys"])


def test_pages_of_any_origin_may_read_the_keys(deployment: Deployment) -> None:
    """A verifier in a browser may read the JWKS, which has nothing secret, without credentials."""
    origin = {"Origin": "https://app.example"}
    answer = urllib3.request("GET", deployment.outputs["JwksUrl"], headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_audit_line_has_no_token(deployment: Deployment) -> None:
    """The stack's log group has one line per token with its claims, and no part of the token."""
    token = deployment.post_token({"subject": "audited"}).body["access_token"]
    claims = claims_of(token)
    lines = deployment.log_lines("token_issued")
    audit = next(json.loads(line) for line in lines if claims["jti"] in line)
    assert {"kid", "sub", "client", "role", "exp"} <= audit.keys()
    for line in deployment.log_lines(""):
        assert not any(part in line for part in token.split("."))
