"""Both kinds of API can forget what the authorizer answered."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber
from cfnlint.decode import cfn_yaml

from keyturn.aws.clients import Clients
from keyturn.aws.faults import AwsFault
from keyturn.aws.gateway_cache import GatewayCache, Stage
from tests.account.resolve import Deployment
from tests.definition import ROOT
from tests.permissions.policy import Statement, allowed
from tests.synthesized import Template, mutated, synthesized, translate_errors

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
    """The message names both allowed forms."""
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


def mixed_callers(template: Mapping[str, Any]) -> list[str]:
    """The authorizers of a template whose cached answers do not depend on the token."""
    bodies = [one.get("Properties", {}).get("Body", {}) for one in template["Resources"].values()]
    schemes = [
        item
        for body in bodies
        for item in (
            body.get("components", {}).get("securitySchemes") or body.get("securityDefinitions", {})
        ).items()
    ]
    return [
        name
        for name, scheme in schemes
        if (authorizer := scheme.get("x-amazon-apigateway-authorizer"))
        and not any(
            source.endswith("header.Authorization") for source in _sources(scheme, authorizer)
        )
    ]


def _sources(scheme: Mapping[str, Any], authorizer: Mapping[str, Any]) -> Sequence[str]:
    """What an answer is kept by: of a TOKEN authorizer it is the header that holds the token."""
    if authorizer.get("type") == "token":
        return [f"header.{scheme['name']}"]
    sources = authorizer.get("identitySource", [])
    return sources if isinstance(sources, list) else [one.strip() for one in sources.split(",")]


@pytest.mark.parametrize("example", ["", "protected-api", "protected-http-api"])
def test_an_answer_is_kept_by_its_token(example: str) -> None:
    """Else API Gateway gives one caller's answer to the next.

    Source: API Gateway API Reference, Authorizer, `identitySource`.
    """
    path = ROOT / "examples" / example / "template.yaml"
    template = translate_errors(cfn_yaml.loads(path.read_text())) if example else synthesized()
    assert "authorizerUri" in str(template)
    assert mixed_callers(template) == []


def test_another_identity_source_is_noticed() -> None:
    """A REQUEST authorizer that keeps its answers by a path, say."""
    text = (ROOT / "examples/protected-api/template.yaml").read_text()
    line = "              ReauthorizeEvery: 0"
    assert line in text
    other = "              Context: [path]\n              ReauthorizeEvery: 300"
    request = text.replace(line, other).replace(
        "FunctionArn: !Ref", "FunctionPayloadType: REQUEST\n            FunctionArn: !Ref"
    )
    assert mixed_callers(translate_errors(cfn_yaml.loads(request))) == ["Keyturn"]
