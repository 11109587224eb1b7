"""The command as a person runs it, and what it prints."""

import os
from pathlib import Path

from typer.testing import CliRunner, Result

from keyturn.aws.stack import Stack
from keyturn.cli.main import app
from keyturn.keyset.model import Keyset, Origin
from keyturn.keyset.transitions import activate
from tests.cloud.account import Account
from tests.unit.stage import active_key, standby_key, truth

TRANSCRIPTS = Path(__file__).parent / "transcripts"
STAND_INS = [letter * 8 + "-" * 27 + letter * 8 for letter in "ABCDEFGH"]


def supersede(booted: Stack, origin: Origin) -> Keyset:
    """Have the standby take over from the active key; returns the keyset as it was."""
    before = booted.keysets.read().keyset

    def change(keyset, now):
        return activate(
            keyset,
            standby_key(before).kid,
            now,
            supersede=active_key(before).kid,
            times=booted.times,
            limits=booted.limits,
        )

    booted.keysets.update(change, origin)
    return before


def keyturn(*arguments: str, width: int = 80, text: str | None = None, **env: str) -> Result:
    """Run the command on a terminal of this width; stdout and stderr apart."""
    environ = {"COLUMNS": str(width), "TERM": "dumb", **env}
    return CliRunner().invoke(app, list(arguments), input=text, env=environ)


def transcript(cloud: Account, name: str, printed: str, *others: str) -> None:
    """Compare what was printed with the file of this name; TRANSCRIPTS=write rewrites it.

    Kids are random: each becomes a stand-in of the same length, the first the active key's.
    """
    keyset = truth(cloud)
    kids = [*(key.kid for key in keyset.all_keys), *others]
    for kid, stand_in in zip(dict.fromkeys(kids), STAND_INS, strict=False):
        printed = printed.replace(kid, stand_in).replace(kid[:8], stand_in[:8])
    printed = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    file = TRANSCRIPTS / f"{name}.txt"
    if os.environ.get("TRANSCRIPTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(printed)
    assert printed == file.read_text()
