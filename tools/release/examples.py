"""The examples for Terraform and CDK, and the template that both deploy."""

from typing import Any

from tests.definition import ROOT
from tests.template import TEMPLATE
from tools.release.package import VERSION, packaged

CDK = ROOT / "examples/cdk/app.py"
TERRAFORM = ROOT / "examples/terraform/main.tf"
BUCKET = "a-bucket"
PACKAGED = packaged(TEMPLATE, "functions.zip", "rotation.json", "arm64", "python3.14")


def problems(
    url: str, capabilities: list[str] | None, parameters: dict[str, str], outputs: set[str]
) -> list[str]:
    """Why CloudFormation would refuse this; `capabilities` is None where the tool gives them itself."""
    known: dict[str, Any] = PACKAGED["Parameters"]
    problems = [f"{name} is no parameter" for name in parameters.keys() - known.keys()]
    required = {name for name, parameter in known.items() if "Default" not in parameter}
    problems += [f"{name} is missing" for name in required - parameters.keys()]
    for name in parameters.keys() & known.keys():
        allowed = known[name].get("AllowedValues")
        if allowed and parameters[name] not in [str(value) for value in allowed]:
            problems.append(f"{name} is {parameters[name]}")
    problems += [f"{name} is no output" for name in outputs - PACKAGED["Outputs"].keys()]
    if url != f"https://{BUCKET}.s3.amazonaws.com/keyturn-{VERSION}/template.yaml":
        problems.append(f"the template is sought at {url}")
    needed = {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
    if capabilities is not None and set(capabilities) != needed:
        problems.append(f"capabilities are {capabilities}")
    return sorted(problems)
