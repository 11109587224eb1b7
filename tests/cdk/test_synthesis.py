"""What the real CDK makes of examples/cdk: a nested stack. `make cdk` runs this."""

import json
import os
import subprocess
from pathlib import Path

from tests.definition import ROOT
from tools.release.examples import BUCKET, CDK, PACKAGED, problems

_INCLUDE = """
import aws_cdk as cdk
from aws_cdk.cloudformation_include import CfnInclude
app = cdk.App()
CfnInclude(cdk.Stack(app, "Identity"), "Keyturn", template_file="template.json")
app.synth()
"""


def test_the_example_synthesizes(tmp_path: Path) -> None:
    """One AWS::CloudFormation::Stack with our parameters, whose outputs are the app's.

    `cdk deploy` gives CAPABILITY_AUTO_EXPAND itself, and nested stacks inherit it.
    """
    subprocess.run(
        [str(ROOT / "build/env/cdk/bin/python"), str(CDK)],
        cwd=tmp_path,
        env={**os.environ, "KEYTURN_BUCKET": BUCKET, "CDK_OUTDIR": str(tmp_path / "out")},
        check=True,
    )
    template = json.loads((tmp_path / "out/Identity.template.json").read_text())
    nested = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudFormation::Stack"
    }
    [(name, resource)] = nested.items()
    outputs = set()
    for output in template["Outputs"].values():
        [stack, attribute] = output["Value"]["Fn::GetAtt"]
        assert stack == name
        outputs.add(attribute.removeprefix("Outputs."))
    assert outputs
    properties = resource["Properties"]
    assert problems(properties["TemplateURL"], None, properties["Parameters"], outputs) == []


def test_cfn_include_reverses_the_transforms(tmp_path: Path) -> None:
    """Why the example is a nested stack; once this fails, docs/use-it.md may say that both ways work.

    Source: CloudFormation Template Reference, "AWS::LanguageExtensions transform": it comes before AWS::Serverless.
    """
    (tmp_path / "template.json").write_text(json.dumps(PACKAGED))
    subprocess.run(
        [str(ROOT / "build/env/cdk/bin/python"), "-c", _INCLUDE],
        cwd=tmp_path,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path / "out")},
        check=True,
    )
    included = json.loads((tmp_path / "out/Identity.template.json").read_text())
    assert included["Transform"] == PACKAGED["Transform"][::-1]
