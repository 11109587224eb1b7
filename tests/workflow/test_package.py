"""The packaged template is the one that is deployed, but for where its code lies."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.synthesized import synthesized, translate_errors
from tools.release.examples import PACKAGED
from tools.release.package import checksums

_CODE = {
    "S3Bucket": {"Ref": "ArtefactBucket"},
    "S3Key": {"Fn::Sub": "${ArtefactPrefix}functions.zip"},
}


def test_it_makes_the_same_resources() -> None:
    """The functions' code and the definition come from the bucket; everything else is as SAM synthesizes it."""
    ours, theirs = translate_errors(PACKAGED)["Resources"], dict(synthesized())["Resources"]
    assert ours.keys() == theirs.keys()
    functions = 0
    for name, resource in ours.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function":
            assert properties.pop("Code") == _CODE
            functions += 1
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            location = {
                "Bucket": _CODE["S3Bucket"],
                "Key": {"Fn::Sub": "${ArtefactPrefix}rotation.json"},
            }
            assert properties.pop("DefinitionS3Location") == location
        assert _without_code(resource) == _without_code(theirs[name])
    assert functions >= 20


def test_what_was_built_for_one_machine_runs_on_no_other() -> None:
    """Another Architecture or PythonRuntime is refused by name, before anything is created."""
    parameters = PACKAGED["Parameters"]
    assert parameters["Architecture"]["AllowedValues"] == ["arm64"]
    assert parameters["PythonRuntime"]["AllowedValues"] == ["python3.14"]


def test_a_template_needs_a_bucket_to_be_deployed_from() -> None:
    """It is longer than a TemplateBody may be, so that every tool has to name a URL.

    Source: CloudFormation User Guide, "Understand CloudFormation quotas": 51,200 bytes in a request, 1 MB in S3.
    """
    assert 51_200 < len(yaml.safe_dump(PACKAGED, sort_keys=False, width=110)) < 1_000_000


def test_the_checksums_are_those_of_the_files(tmp_path: Path) -> None:
    """sha256sum can check them; there is no line for the list itself."""
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "SHA256SUMS").write_text("old")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert checksums(tmp_path) == f"{empty}  a\n"


def _without_code(resource: dict[str, Any]) -> dict[str, Any]:
    remaining: dict[str, Any] = json.loads(json.dumps(resource))
    for member in ("Code", "DefinitionS3Location"):
        remaining.get("Properties", {}).pop(member, None)
    remaining.pop("Metadata", None)  # how `sam build` builds it
    return remaining
