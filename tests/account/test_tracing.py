"""Nothing is traced, and nothing ships for it."""

from tests.account.resolve import Deployment
from tests.definition import ROOT
from tests.permissions.policy import Statement
from tests.synthesized import Template, mutated, synthesized


def traced_in_vain(template: Template) -> list[str]:
    """Functions that Lambda would trace, with roles that may not write a trace."""
    deployment = Deployment(template)
    roles = deployment.resources("AWS::IAM::Role")
    return [
        name
        for name, function in deployment.resources("AWS::Lambda::Function").items()
        if "TracingConfig" in function
        and not any(
            Statement.from_document(text).allows("xray:PutTraceSegments", "*", {})
            for policy in roles[function["Role"].strip("<>").removesuffix(".Arn")].get(
                "Policies", ()
            )
            for text in policy["PolicyDocument"]["Statement"]
        )
    ]


def test_no_function_is_traced_without_the_right_to() -> None:
    """Source: Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray"."""
    assert traced_in_vain(dict(synthesized())) == []

    def trace(template: Template) -> None:
        function = template["Resources"]["WhoamiFunction"]["Properties"]
        function["TracingConfig"] = {"Mode": "Active"}

    assert traced_in_vain(mutated(trace)) == ["WhoamiFunction"]


def test_the_sdk_does_not_ship() -> None:
    """X-Ray's SDK is in maintenance. Source: AWS X-Ray Developer Guide, "X-Ray SDKs … end-of-support"."""
    shipped = (ROOT / "functions/requirements.txt").read_text()
    assert "aws-lambda-powertools==" in shipped
    assert "aws-xray-sdk" not in shipped
