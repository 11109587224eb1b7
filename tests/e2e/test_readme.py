"""The README's commands for a real account, run as far as a machine without one can."""

import os

from keyturn.cli.local import LocalAws, Workshop
from tests.definition import ROOT
from tools.command import run


def test_sam_build_and_deploy_as_written(workshop: Workshop, aws: LocalAws) -> None:
    """`sam build` makes the artefact for AWS; `sam deploy` gets as far as asking for consent.

    In between the build is finished, with bytecode if the functions' Python is here.
    """
    tools = {"PATH": workshop.path, "SAM_CLI_TELEMETRY": "0"}  # uv and the SAM CLI
    environ = {**os.environ, **tools, **aws.environ}
    for command in ("sam build", "uv run functions/keyturn/cli/finish_build.py"):
        built = run("sh", "-c", command, cwd=ROOT, env=environ)
        assert built.returncode == 0, built.stderr
    assert "bytecode of Python 3.14" in built.stdout
    assert not list((ROOT / ".aws-sam/build").glob("*/botocore/data/ec2"))
    wheels = list((ROOT / ".aws-sam/build").glob("*/pydantic_core/*aarch64*.so"))
    assert wheels, "the default architecture is arm64"

    for command in ("sam deploy", "sam deploy --config-env prod"):
        ran = run("sh", "-c", command, cwd=ROOT, env=environ, input="n\n")
        assert "Deploy this changeset? [y/N]" in ran.stdout, ran.stdout + ran.stderr
        assert "AWS::Lambda::Function" in ran.stdout
