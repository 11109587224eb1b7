"""`keyturn local`: a stack that stays up until it is taken down."""

import json
import os

import pytest

from tests.definition import ROOT
from tools.command import KEYTURN, run


def keyturn(*arguments: str, status: int = 0) -> str:
    """Run the command without this process's AWS settings; returns what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = run(KEYTURN, *arguments, env=environ)
    assert ran.returncode == status, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.skipif(
    (ROOT / "build/local/server.json").exists(), reason="`keyturn local` is in use in this checkout"
)
def test_up_used_and_down() -> None:
    """The stack issues tokens and shows its status and environment while it is up, and nothing afterwards."""
    try:
        stack = json.loads(keyturn("local", "up", "--json"))
        assert stack["issuer"] in stack["jwks_url"]
        token = keyturn("issue", "--local", "--subject", "alice").strip()
        assert keyturn("verify", token, "--local").endswith("(generation 6).\n")
        assert json.loads(keyturn("local", "url", "--json")) == stack
        exported = keyturn("local", "url", "--env")
        assert f"export AWS_ENDPOINT_URL={stack['endpoint']}" in exported
        keyturn("local", "up", "-p", "ViewTtl=2", status=2)
    finally:
        assert json.loads(keyturn("local", "down", "--json")) == {"stopped": True}
    assert keyturn("status", "--local", status=1) == ""
    assert json.loads(keyturn("local", "down", "--json")) == {"stopped": False}
