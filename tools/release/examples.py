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
    found = [f"{name} is no parameter" for name in parameters.keys() - known.keys()]
    missing = {name for name, parameter in known.items() if "Default" not in parameter}
    found += [f"{name} is missing" for name in missing - parameters.keys()]
    for name in parameters.keys() & known.keys():
        allowed = known[name].get("AllowedValues")
        if allowed and parameters[name] not in [str(value) for value in allowed]:
            found.append(f"{name} is {parameters[name]}")
    found += [f"{name} is no output" for name in outputs - PACKAGED["Outputs"].keys()]
    if url != f"https://{BUCKET}.s3.amazonaws.com/keyturn-{VERSION}/template.yaml":
        found.append(f"the template is sought at {url}")
    needed = {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
    if capabilities is not None and set(capabilities) != needed:
        found.append(f"capabilities are {capabilities}")
    return sorted(found)
