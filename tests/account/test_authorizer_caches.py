"""Both kinds of API can forget what the authorizer answered."""

from types import SimpleNamespace

import pytest
from botocore.stub import Stubber

from keyturn.aws.clients import Clients
from keyturn.aws.faults import AwsFault
from keyturn.aws.gateway_cache import GatewayCache, Stage
from tests.account.resolve import Deployment
from tests.permissions.policy import Statement, allowed
from tests.synthesized import Template, mutated, synthesized

_ARN = "arn:aws:apigateway:ap-southeast-2::/{}/a1b2c3d4e5/stages/{}/cache/authorizers"
REST, HTTP = _ARN.format("restapis", "prod"), _ARN.format("apis", "$default")


@pytest.fixture
def clients(monkeypatch) -> Clients:
    """Real ones, with botocore's model of each API."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return Clients(write_delay=20)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("a1b2c3d4e5/prod", Stage("a1b2c3d4e5", "prod")),
        (" a1b2c3d4e5/prod ", Stage("a1b2c3d4e5", "prod")),
        ("http:a1b2c3d4e5/$default", Stage("a1b2c3d4e5", "$default", is_http=True)),
    ],
)
def test_a_stage_says_which_kind_of_api_it_is_of(text: str, stage: Stage) -> None:
    """The ids look the same, and each kind has an API of its own."""
    assert Stage.parse(text) == stage
    assert str(stage) == text.strip()


@pytest.mark.parametrize(
    "text", ["a", "a/", "/v1", "a/b/c", "http:a", "http:/v1", "https:a/v1", "http:a/b/c"]
)
def test_another_form_is_refused(text: str) -> None:
    """With both forms in the message."""
    with pytest.raises(ValueError, match="`api-id/stage` or `http:api-id/stage`"):
        Stage.parse(text)


def test_a_rest_api_is_flushed(clients: Clients) -> None:
    """Source: API Gateway API Reference, FlushStageAuthorizersCache."""
    with Stubber(clients.apigateway) as rest:
        request = {"restApiId": "a1b2c3d4e5", "stageName": "prod"}
        rest.add_response("flush_stage_authorizers_cache", {}, request)
        GatewayCache(clients).flush(Stage("a1b2c3d4e5", "prod"))
        rest.assert_no_pending_responses()


def test_an_http_api_is_reset(clients: Clients) -> None:
    """Source: API Gateway V2 API Reference, ResetAuthorizersCache, "Supported only for HTTP APIs"."""
    with Stubber(clients.apigatewayv2) as http:
        request = {"ApiId": "a1b2c3d4e5", "StageName": "$default"}
        http.add_response("reset_authorizers_cache", {}, request)
        GatewayCache(clients).flush(Stage.parse("http:a1b2c3d4e5/$default"))
        http.assert_no_pending_responses()


def test_a_stage_that_is_not_there_is_named(clients: Clients) -> None:
    """The fault names the call and the code."""
    with Stubber(clients.apigatewayv2) as http:
        http.add_client_error("reset_authorizers_cache", "NotFoundException")
        with pytest.raises(AwsFault, match="apigatewayv2:ResetAuthorizersCache: NotFoundException"):
            GatewayCache(clients).flush(Stage("a1b2c3d4e5", "prod", is_http=True))


def test_only_the_client_that_is_needed_is_made() -> None:
    """Making one takes longer than the call."""
    rest_only = SimpleNamespace(
        apigateway=SimpleNamespace(flush_stage_authorizers_cache=lambda **_: None)
    )
    GatewayCache(rest_only).flush(Stage("a1b2c3d4e5", "prod"))  # type: ignore[arg-type]


def caches_out_of_reach(template: Template) -> list[str]:
    """The caches that FlushAuthorizers may not delete, under the ARNs that IAM knows."""
    role = Deployment(template).resources("AWS::IAM::Role")["FlushAuthorizersFunctionRole"]
    statements = [
        Statement.from_document(text)
        for policy in role["Policies"]
        for text in policy["PolicyDocument"]["Statement"]
    ]
    return [arn for arn in (REST, HTTP) if not allowed(statements, "apigateway:DELETE", arn, {})]


def test_both_caches_are_within_reach_and_nothing_else() -> None:
    """One action for both, `apigateway:DELETE`, on paths of their own.

    Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon API
    Gateway Management" and "… Management V2" (resource type AuthorizersCache).
    """
    assert caches_out_of_reach(dict(synthesized())) == []

    def rest_only(template: Template) -> None:
        role = template["Resources"]["FlushAuthorizersFunctionRole"]["Properties"]
        [statement, *_] = role["Policies"][0]["PolicyDocument"]["Statement"]
        statement["Resource"] = statement["Resource"][0]

    assert caches_out_of_reach(mutated(rest_only)) == [HTTP]
