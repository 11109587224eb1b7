"""A release as a folder: what CloudFormation needs, the command's wheel, and the checksums of all of it.

`sam build` makes the artefact; the template then names it below a bucket and a prefix that are parameters,
so that it can be deployed without SAM's command. Names of files contain their content's hash: a key
that changes is how CloudFormation notices that code has changed.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from keyturn.cli.local import ToolFailed, Workshop
from tests.definition import ROOT
from tests.template import TEMPLATE
from tools.command import run

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
NAME = f"keyturn-{VERSION}"
SUMS = "SHA256SUMS"
_UV = ROOT / "build/env/uv/bin/uv"
_BUILD_METADATA = "Metadata"  # of a function: how `sam build` builds it


def package(destination: Path, architecture: str, runtime: str) -> Path:
    """Write the release below `destination`, for this processor and Python; returns its folder."""
    release = destination / NAME
    release.mkdir(parents=True, exist_ok=True)
    for file in release.iterdir():
        file.unlink()
    workshop = Workshop(ROOT, destination)
    artefact = workshop.build(Architecture=architecture, PythonRuntime=runtime)
    code = _named(release, "functions", ".zip", artefact.archive.read_bytes())
    definition = (ROOT / "statemachine/rotation.asl.json").read_bytes()
    states = _named(release, "rotation", ".asl.json", definition)
    template = packaged(TEMPLATE, code, states, architecture, runtime)
    (release / "template.yaml").write_text(yaml.safe_dump(template, sort_keys=False, width=110))
    wheel = run(_UV, "build", "--wheel", "--quiet", "--out-dir", release, ROOT, cwd=ROOT)
    if wheel.returncode:
        raise ToolFailed((wheel.stdout + wheel.stderr).strip())
    (release / ".gitignore").unlink(missing_ok=True)  # uv's
    (release / SUMS).write_text(checksums(release))
    return release


def packaged(
    template: Mapping[str, Any], code: str, states: str, architecture: str, runtime: str
) -> dict[str, Any]:
    """The template with its code in a bucket; `code` and `states` are names of files of the release."""
    result: dict[str, Any] = json.loads(json.dumps(template))
    result["Parameters"] |= {
        "ArtefactBucket": {
            "Type": "String",
            "Description": "The bucket, in this Region, that holds the files of this release.",
        },
        "ArtefactPrefix": {
            "Type": "String",
            "Default": f"{NAME}/",
            "AllowedPattern": "(.*/)?",
            "Description": "What stands before the files' names in the bucket; ends with a slash.",
        },
    }
    result["Parameters"]["Architecture"] |= _only(architecture)
    result["Parameters"]["PythonRuntime"] |= _only(runtime)
    del result["Parameters"]["PythonRuntime"]["AllowedPattern"]
    del result["Metadata"]["AWS::ServerlessRepo::Application"]
    bucket, key = {"Ref": "ArtefactBucket"}, {"Fn::Sub": f"${{ArtefactPrefix}}{code}"}
    result["Globals"]["Function"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    for resource in result["Resources"].values():
        if resource["Type"].endswith("::Function"):
            resource.pop(_BUILD_METADATA, None)
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"S3Bucket": bucket, "S3Key": key}
    result["Resources"]["RotationStateMachine"]["Properties"]["DefinitionUri"] = {
        "Bucket": bucket,
        "Key": {"Fn::Sub": f"${{ArtefactPrefix}}{states}"},
    }
    return json.loads(json.dumps(result))  # no two members the same object: YAML would say `&id001`


def checksums(release: Path) -> str:
    """One line per file, as `sha256sum --check` reads them."""
    files = sorted(file for file in release.iterdir() if file.name != SUMS)
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files
    )


def _only(value: str) -> dict[str, Any]:
    return {"AllowedValues": [value], "Default": value}


def _named(release: Path, stem: str, suffix: str, content: bytes) -> str:
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}{suffix}"
    (release / name).write_bytes(content)
    return name
