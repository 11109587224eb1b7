"""The README's commands for a real account, run as far as a machine without one can."""

import os
import subprocess
from pathlib import Path

import pytest

from keyturn.cli.local import LocalAws, Workshop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sam_on_path() -> dict[str, str]:
    """The environment of a user who has installed uv and the SAM CLI."""
    return {**os.environ, "PATH": Workshop(ROOT).path, "SAM_CLI_TELEMETRY": "0"}


def test_sam_build_and_deploy_as_written(aws: LocalAws, sam_on_path: dict[str, str]) -> None:
    """`sam build` makes the artefact for AWS; `sam deploy` gets as far as asking for consent.

    In between the build is finished, with bytecode if the functions' Python is here.
    """
    environ = {**sam_on_path, **aws.environ}
    for command in ("sam build", "uv run functions/keyturn/cli/finish_build.py"):
        built = subprocess.run(
            command, shell=True, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )
        assert built.returncode == 0, built.stderr
    assert "bytecode of Python 3.14" in built.stdout
    assert not list((ROOT / ".aws-sam/build").glob("*/botocore/data/ec2"))
    wheels = list((ROOT / ".aws-sam/build").glob("*/pydantic_core/*aarch64*.so"))
    assert wheels, "the default architecture is arm64"

    for command in ("sam deploy", "sam deploy --config-env prod"):
        asked = subprocess.run(
            command,
            shell=True,
            cwd=ROOT,
            env=environ,
            input="n\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Deploy this changeset? [y/N]" in asked.stdout, asked.stdout + asked.stderr
        assert "AWS::Lambda::Function" in asked.stdout
