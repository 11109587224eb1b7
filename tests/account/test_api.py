"""The API is where the stack is."""

from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized, translate


def endpoint_types(template: Template) -> list[str]:
    """The API's endpoint type; EDGE by default."""
    [api] = Deployment(template).resources("AWS::ApiGateway::RestApi").values()
    types: list[str] = api.get("EndpointConfiguration", {}).get("Types", ["EDGE"])
    return types


def test_the_api_is_regional() -> None:
    """An edge-optimized API, the default, takes callers of the Region through CloudFront and back.

    Source: API Gateway Developer Guide, "API endpoint types for REST APIs in API Gateway".
    """
    assert endpoint_types(dict(synthesized())) == ["REGIONAL"]

    def forget(template: Template) -> None:
        del template["Resources"]["Api"]["Properties"]["EndpointConfiguration"]

    assert endpoint_types(mutated(forget)) == ["EDGE"]
    assert endpoint_types(translate(forget)) == ["EDGE"]  # SAM's own default is the same
