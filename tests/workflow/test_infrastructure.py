"""A release is deployed by other tools: what they give CloudFormation is what its template takes."""

import sys
from types import ModuleType
from typing import Any

import hcl2
import pytest

from tools.release.examples import BUCKET, CDK, TERRAFORM, problems
from tools.release.package import NAME


def terraform(text: str) -> list[str]:
    """Return the mistakes in this configuration's stack."""
    configuration = _plain(hcl2.loads(text))
    [release] = [block["release"] for block in configuration["locals"]]
    resources = {
        kind: named for block in configuration["resource"] for kind, named in block.items()
    }
    values = {
        "${var.bucket}": BUCKET,
        '${aws_s3_object.release["template.yaml"].key}': f"{release}/template.yaml",
    }
    stack = _plain(resources["aws_cloudformation_stack"]["keyturn"], values)
    outputs = {
        output["value"].split('outputs["')[1].removesuffix('"]}')
        for block in configuration["output"]
        for output in block.values()
    }
    return problems(stack["template_url"], stack["capabilities"], stack["parameters"], outputs)


def _plain(value: Any, values: dict[str, str] | None = None) -> Any:
    """Strip the quotes from the parser's result, and replace references by `values`."""
    if isinstance(value, dict):
        return {
            name.strip('"'): _plain(member, values)
            for name, member in value.items()
            if not name.startswith("__")  # the parser's own
        }
    if isinstance(value, list):
        return [_plain(member, values) for member in value]
    if isinstance(value, str):
        value = value.removeprefix('"').removesuffix('"')
        for reference, replacement in (values or {}).items():
            value = value.replace(reference, replacement)
    return value


def cdk(text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the mistakes in this app's nested stack; its constructs only record their arguments."""
    nested: list[dict[str, Any]] = []
    outputs: set[str] = set()

    class Construct:
        def __init__(self, *_arguments: Any, **properties: Any) -> None:
            if "template_url" in properties:
                nested.append(properties)

        def get_att(self, name: str) -> "Construct":
            outputs.add(name.removeprefix("Outputs."))
            return self

        def to_string(self) -> str:
            return "${Token[1]}"

        def synth(self) -> None:
            pass

    library = ModuleType("aws_cdk")
    for name in ("App", "Stack", "CfnStack", "CfnOutput"):
        setattr(library, name, Construct)
    monkeypatch.setitem(sys.modules, "aws_cdk", library)
    monkeypatch.setenv("KEYTURN_BUCKET", BUCKET)
    exec(compile(text, str(CDK), "exec"), {"__name__": "__main__"})
    [properties] = nested
    return problems(properties["template_url"], None, properties["parameters"], outputs)


def test_terraform_gives_what_the_template_takes() -> None:
    """The Terraform example has the template's parameters and outputs, its capabilities and the release's URL."""
    assert terraform(TERRAFORM.read_text()) == []


def test_cdk_gives_what_the_template_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CDK example has the same; `cdk deploy` adds the capabilities, and `make cdk` uses the real CDK."""
    assert cdk(CDK.read_text(), monkeypatch) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("RetainKeyset", "KeepKeyset", "KeepKeyset is no parameter"),
        ("400", "401", "LogRetention is 401"),
        ("ArtefactBucket", "AlertEmail", "ArtefactBucket is missing"),
        ("Issuer", "Name", "Name is no output"),
        (NAME, "keyturn-0.0.9", "the template is sought at https"),
        (', "CAPABILITY_AUTO_EXPAND"', "", "capabilities are ['CAPABILITY_IAM']"),
    ],
)
def test_what_the_template_does_not_take_is_noticed(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str, problem: str
) -> None:
    """A wrong line is noticed in each tool that has it."""
    texts = {path: path.read_text() for path in (TERRAFORM, CDK) if old in path.read_text()}
    assert TERRAFORM in texts
    for path, text in texts.items():
        changed = text.replace(old, new)
        translated = terraform(changed) if path == TERRAFORM else cdk(changed, monkeypatch)
        assert any(line.startswith(problem) for line in translated), path


def test_the_examples_name_the_release() -> None:
    """The examples name the folder of this version."""
    assert all(NAME in path.read_text() for path in (TERRAFORM, CDK))
