"""`keyturn local`: a stack that stays up until it is told to go."""

import json
import os
import subprocess

import pytest

from tests.e2e.conftest import ROOT
from tools.command import KEYTURN


def keyturn(*arguments: str, status: int = 0) -> str:
    """Run the command with nothing of this process's AWS; returns what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run(
        [str(KEYTURN), *arguments], capture_output=True, text=True, check=False, env=environ
    )
    assert ran.returncode == status, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.skipif(
    (ROOT / "build/local/server.json").exists(), reason="`keyturn local` is in use in this checkout"
)
def test_up_used_and_down() -> None:
    """Tokens, status and environment of the stack that is up; nothing afterwards."""
    try:
        told = json.loads(keyturn("local", "up", "--json"))
        assert told["issuer"] in told["jwks_url"]
        token = keyturn("issue", "--local", "--subject", "alice").strip()
        assert keyturn("verify", token, "--local").endswith("(generation 6).\n")
        assert json.loads(keyturn("local", "url", "--json")) == told
        exported = keyturn("local", "url", "--env")
        assert f"export AWS_ENDPOINT_URL={told['endpoint']}" in exported
        keyturn("local", "up", "-p", "ViewTtl=2", status=2)
    finally:
        assert json.loads(keyturn("local", "down", "--json")) == {"stopped": True}
    assert keyturn("status", "--local", status=1) == ""
    assert json.loads(keyturn("local", "down", "--json")) == {"stopped": False}
