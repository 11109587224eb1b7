"""A hundred ended keys: status and doctor show the last few and how many more, `--json` all."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.cli.doctor.checkup import examine
from keyturn.cli.doctor.report import say_findings
from keyturn.cli.snapshot import read_snapshot
from keyturn.cli.status.page import page
from keyturn.cli.status.summary import Summary
from keyturn.cli.status.text import say_status
from keyturn.cli.terminal import Terminal
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State
from tests.unit.cli.running import keyturn

KIDS = [f"{number:043d}" for number in range(100)]


@pytest.fixture
def snapshot(deployment):
    """A stack at rest whose keyset remembers a hundred ended keys, each still enabled in KMS."""
    snapshot = read_snapshot(deployment)
    assert snapshot.kms
    last, some_key = snapshot.generation, next(iter(snapshot.kms.values()))
    ended = tuple(
        EndedKey(
            kid,
            f"arn:{kid}",
            State.REVOKED,
            snapshot.at,
            snapshot.at - timedelta(hours=100 - number),
        )
        for number, kid in enumerate(KIDS)
    )
    kms = {key.kms_key_arn: replace(some_key, arn=key.kms_key_arn) for key in ended}
    keyset = replace(last.keyset, ended=ended)
    return replace(
        snapshot, generations=(replace(last, keyset=keyset),), kms={**snapshot.kms, **kms}
    )


def test_status_shows_the_last_five_and_how_many_more(snapshot, capsys):
    """Text and page show the last five ended keys, how many more there are, and every live key."""
    summary = Summary("demo", "eu-west-3", snapshot)
    say_status(Terminal("demo", as_json=False), summary)
    for shown in (capsys.readouterr().out.partition("NEXT")[0], page(summary)):
        assert "95 more ended keys: keyturn history" in shown
        assert KIDS[95] in shown
        assert KIDS[94] not in shown.partition("<h2>Problems")[0]
        assert all(key.kid in shown for key in snapshot.keyset.keys)
    assert len(summary.members()["keys"]) == 102


def test_doctor_shows_five_of_a_kind_and_how_many_more(snapshot, capsys):
    """The exit status and `--json` know them all."""
    findings = examine(snapshot)
    say_findings(Terminal("demo", as_json=False), findings)
    printed = capsys.readouterr().out
    assert printed.count("ended_key_kept") == 6
    assert "95 more of ended_key_kept: --json lists all" in printed
    assert sum(finding.code == "ended_key_kept" for finding in findings) == 100


def test_nothing_is_hidden_where_there_are_few(deployment):
    """With few ended keys there is no line about more."""
    assert "more ended" not in keyturn("status").stdout
    assert len(json.loads(keyturn("status", "--json").stdout)["keys"]) == 2
