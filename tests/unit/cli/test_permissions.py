"""What an operator needs for `keyturn client` and `keyturn api` is in docs/operating.md, both ways."""

import re
from pathlib import Path

import pytest

from tests.unit.cli.running import keyturn

DOCUMENTED = (Path(__file__).parents[3] / "docs/operating.md").read_text()
TABLE = DOCUMENTED.partition("## Permissions")[2]
ACTION = re.compile(r"`(ssm:\w+)`")
CLIENT, API = ("orders", "--audience", "orders"), ("abc123", "--audience", "orders")
COMMANDS = {
    "client add": (*CLIENT, "--scope", "a", "--yes"),
    "client show": ("orders",),
    "client list": (),
    "client explain": ("orders",),
    "client remove": ("orders", "--yes"),
    "api add": (*API, "--route", "GET /=a", "--yes"),
    "api show": ("abc123",),
    "api list": (),
    "api remove": ("abc123", "--yes"),
}


def own_actions(verb):
    """What stands in the table beside this verb."""
    rows = [line.split("|") for line in TABLE.splitlines() if line.startswith("|")]
    return {action for row in rows if f"`{verb}`" in row[1] for action in ACTION.findall(row[2])}


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_call_is_documented_and_every_documented_call_is_made(deployment, aws, verb):
    """Parameters are read by all verbs; the rest stands beside the verb."""
    deployment.client_documents.put("orders", '{"audiences": ["orders"]}')
    deployment.api_documents.put("abc123", '{"audience": "orders"}')
    aws.reset()
    result = keyturn(*verb.split(), *COMMANDS[verb])
    assert result.exit_code in (0, 1), result.stderr
    called = {name for name in aws.operations if name.startswith("ssm:")}
    for_all = set(ACTION.findall(TABLE.partition("| verb |")[0]))
    assert called - for_all == own_actions(verb)
