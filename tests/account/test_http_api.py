"""The example of an HTTP API, which no local engine serves: what SAM makes of it is what AWS gets."""

from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from tests.definition import ROOT
from tests.synthesized import Template, translate_errors

EXAMPLE = ROOT / "examples/protected-http-api/template.yaml"


def problems(template: Template) -> list[str]:
    """Why the authorizer's answers would not count."""
    resources = template["Resources"].values()
    [api] = [r["Properties"]["Body"] for r in resources if r["Type"] == "AWS::ApiGatewayV2::Api"]
    (scheme,) = api["components"]["securitySchemes"].values()
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    wanted: dict[str, Any] = {
        "authorizerPayloadFormatVersion": "2.0",
        "enableSimpleResponses": True,
        "authorizerResultTtlInSeconds": 0,
        "identitySource": ["$request.header.Authorization"],
        "authorizerCredentials": {"Fn::GetAtt": ["InvokeKeyturnRole", "Arn"]},
    }
    return [
        f"{name} is {authorizer.get(name)}"
        for name in wanted
        if authorizer.get(name) != wanted[name]
    ]


def test_the_example_is_protected() -> None:
    """Payload format 2.0 with simple answers, asked for every call, by a role of the API's own stack.

    Source: API Gateway Developer Guide, "Control access to HTTP APIs with AWS Lambda authorizers".
    """
    assert problems(translate_errors(cfn_yaml.loads(EXAMPLE.read_text()))) == []


@pytest.mark.parametrize(
    "line",
    [
        "            EnableSimpleResponses: true\n",
        "            FunctionInvokeRole: !GetAtt InvokeKeyturnRole.Arn\n",
        ", ReauthorizeEvery: 0",
    ],
)
def test_a_word_less_is_noticed(line: str) -> None:
    """Each of these is optional for SAM."""
    text = EXAMPLE.read_text()
    assert line in text
    assert problems(translate_errors(cfn_yaml.loads(text.replace(line, ""))))
