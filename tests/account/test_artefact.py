"""An artefact for another processor or Python says so at once, in one sentence."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.definition import ROOT
from tests.synthesized import synthesized

_RUN = """
import json, sys
from keyturn.rotation import check_settings
check_settings.handler(json.loads(sys.argv[1]), None)
"""
_IMPORTED = "import sys; known = set(sys.modules); import keyturn.rotation.check_settings"


def event(url: str, request_type: str = "Create") -> dict[str, object]:
    """CloudFormation's call."""
    return {
        "RequestType": request_type,
        "ResponseURL": f"{url}/answer",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "CheckSettings",
        "ResourceProperties": {"ServiceToken": "arn"},
    }


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """Packages as `sam build` leaves them for python3.9 on arm64: their binaries are for another machine."""
    package = tmp_path / "pydantic_core"
    package.mkdir()
    (package / "__init__.py").write_text("from ._pydantic_core import SchemaValidator\n")
    (package / "_pydantic_core.cpython-39-aarch64-linux-gnu.so").write_bytes(b"\x7fELF")
    known = tmp_path / "pydantic_core-2.50.4.dist-info"
    known.mkdir()
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: pydantic-core\nVersion: 2.50.4\n")
    (known / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp39-cp39-manylinux_2_17_aarch64\n")
    return tmp_path


def run(site, wrong: Path, request_type: str) -> dict[str, str]:
    """The handler in a process of its own; returns what CloudFormation was told."""
    site.puts.clear()
    path = os.pathsep.join((str(wrong), str(ROOT / "functions")))
    call = json.dumps(event(site.url, request_type))
    environ = {"PYTHONPATH": path, "AWS_ENDPOINT_URL": site.url}
    subprocess.run([sys.executable, "-c", _RUN, call], env=environ, check=True, timeout=60)
    [answer] = site.puts
    result: dict[str, str] = answer
    return result


def test_the_answer_names_both_sides_and_what_to_do(site, wrong: Path) -> None:
    """Built for one, running on the other; and CloudFormation hears it instead of waiting.

    Source: Lambda Developer Guide, "Using Python dependencies with compiled code"; Python Packaging
    User Guide, "Binary distribution format" (the tags of a wheel).
    """
    answer = run(site, wrong, "Create")
    assert answer["Status"] == "FAILED"
    assert "the artefact was built for python3.9 and arm64" in answer["Reason"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f"the functions run on {version}" in answer["Reason"]
    assert answer["Reason"].endswith(
        "Run `sam build` and `sam deploy` with the same PythonRuntime and Architecture"
    )
    assert len(answer["Reason"]) < 1024


def test_the_rollback_can_end(site, wrong: Path) -> None:
    """It deletes CheckSettings with the same artefact, and there is nothing to delete."""
    assert run(site, wrong, "Delete")["Status"] == "SUCCESS"


def test_nothing_but_the_standard_library_is_imported_first() -> None:
    """Else the function dies before it can answer: a compiled package anywhere is enough."""
    code = f"{_IMPORTED}; print(*{{n.partition('.')[0] for n in set(sys.modules) - known}})"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "functions")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ran.stdout.split()) - sys.stdlib_module_names == {"keyturn"}


def test_a_change_of_either_is_checked() -> None:
    """CloudFormation calls a custom resource again only if one of its properties has changed."""
    properties = synthesized()["Resources"]["CheckSettings"]["Properties"]
    assert properties["architecture"] == {"Ref": "Architecture"}
    assert properties["runtime"] == {"Ref": "PythonRuntime"}


@pytest.mark.parametrize("environment", ["default", "dev", "prod"])
def test_build_and_deploy_read_the_same_lines(environment: str) -> None:
    """`parameter_overrides` stands in `global`, which both commands read, and nowhere else.

    Source: AWS SAM Developer Guide, "AWS SAM CLI configuration file": a command's own table replaces
    the value in `global`.
    """
    tables = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]
    places = [
        command for command, table in tables.items() if "parameter_overrides" in table["parameters"]
    ]
    assert places == ["global"]
    names = [entry.split("=")[0] for entry in tables["global"]["parameters"]["parameter_overrides"]]
    assert {"Architecture", "PythonRuntime"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("page", ["README.md", "docs/use-it.md"])
def test_the_tools_versions_are_stated(page: str) -> None:
    """They are at least the SAM CLI that the project itself builds with, and the uv that its lock needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [pin] = project["dependency-groups"]["sam"]
    sam = pin.removeprefix("aws-sam-cli==").rpartition(".")[0]
    uv = project["tool"]["uv"]["required-version"].removeprefix(">=")
    text = " ".join((ROOT / page).read_text().split())
    assert re.search(rf"\[SAM CLI\]\(\S+\) {re.escape(sam)} or newer", text)
    assert re.search(rf"\[uv\]\(\S+\) {re.escape(uv)} or newer", text)
