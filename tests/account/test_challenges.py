"""What an API behind the authorizer tells a caller without a token, and a browser that asks first.

Source: RFC 6750 section 3, "The WWW-Authenticate Response Header Field". API Gateway Developer Guide,
"Gateway responses for REST APIs": UNAUTHORIZED is the 401 of an authorizer, ACCESS_DENIED its 403, and IAM's.
What an integration says of WWW-Authenticate is renamed; a gateway response is not. HTTP APIs have none.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from keyturn.access.metadata import resource_path
from keyturn.aws.keyset.well_known import PROTECTED_RESOURCES
from tests.account.resolve import Deployment
from tests.definition import ROOT
from tests.synthesized import Template, synthesized, translate_errors

EXAMPLE = ROOT / "examples/protected-api/template.yaml"
_HEADER = "gatewayresponse.header.WWW-Authenticate"


def _definition(template: Mapping[str, Any], **parameters: str) -> Any:
    return Deployment(template, parameters).resources("AWS::ApiGateway::RestApi")["Api"]["Body"]


def _example() -> Template:
    parsed: Template = cfn_yaml.load(str(EXAMPLE))
    return parsed


def challenges(template: Mapping[str, Any], **parameters: str) -> dict[str, str]:
    """WWW-Authenticate of each gateway response that has one."""
    responses = _definition(template, **parameters).get("x-amazon-apigateway-gateway-responses", {})
    return {
        kind: response["responseParameters"][_HEADER].strip("'")
        for kind, response in responses.items()
        if _HEADER in response["responseParameters"]
    }


def preflights_that_need_a_token(template: Mapping[str, Any]) -> list[str]:
    """The paths whose OPTIONS asks the authorizer; a browser sends no token with it."""
    paths = _definition(template)["paths"]
    return [path for path, methods in paths.items() if methods.get("options", {}).get("security")]


def test_the_example_challenges() -> None:
    """401 names only the scheme: there are no valid credentials. 403: a scope is missing."""
    assert challenges(translate_errors(_example())) == {
        "UNAUTHORIZED": "Bearer",
        "ACCESS_DENIED": 'Bearer error="insufficient_scope"',
    }


def test_a_challenge_leads_to_the_issuer() -> None:
    """RFC 9728 section 5.1, where the example knows the issuer: to the object that PublishApis puts there."""
    example, issuer = translate_errors(_example()), "https://issuer.example"
    [document] = Deployment(example).resources("AWS::SSM::Parameter").values()
    path = resource_path(json.loads(document["Value"])["audience"])
    url = f"{issuer}/{PROTECTED_RESOURCES}{path}"
    challenge = challenges(example, KeyturnIssuer=issuer)["UNAUTHORIZED"]
    assert challenge == f'Bearer resource_metadata="{url}"'


def test_the_own_api_challenges_where_no_iam_answers() -> None:
    """ACCESS_DENIED is also IAM's refusal at the token route, where no Bearer token would help."""
    assert challenges(synthesized()) == {"UNAUTHORIZED": "Bearer"}


def test_a_preflight_needs_no_token() -> None:
    """The answer names Authorization among the allowed headers: `*` does not include it (Fetch, 4.8)."""
    template = translate_errors(_example())
    assert preflights_that_need_a_token(template) == []
    answer = _definition(template)["paths"]["/orders"]["options"]
    headers = answer["x-amazon-apigateway-integration"]["responses"]["default"][
        "responseParameters"
    ]
    assert headers["method.response.header.Access-Control-Allow-Headers"] == "'Authorization'"


def test_a_browser_may_read_a_refusal() -> None:
    """A script sees an answer, and this header of it, only where both are allowed (Fetch, 3.2)."""
    responses = _definition(translate_errors(_example()))["x-amazon-apigateway-gateway-responses"]
    for kind in challenges(translate_errors(_example())):
        headers = responses[kind]["responseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
        exposed = headers["gatewayresponse.header.Access-Control-Expose-Headers"]
        assert exposed == "'WWW-Authenticate'"


def _without_default(api: Any) -> None:
    del api["Auth"]["AddDefaultAuthorizerToCorsPreflight"]


def _without_challenges(api: Any) -> None:
    del api["GatewayResponses"]


@pytest.mark.parametrize("change", [_without_default, _without_challenges])
def test_a_line_less_is_noticed(change: Callable[[Any], None]) -> None:
    """Each of these is optional for SAM."""
    example = _example()
    change(example["Resources"]["Api"]["Properties"])
    template = translate_errors(example)
    assert preflights_that_need_a_token(template) or not challenges(template)
