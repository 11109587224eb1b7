"""`keyturn status`: what it says of a stack, at two widths and as JSON."""

import json
from datetime import timedelta
from functools import partial

import pytest

from keyturn.aws.executions import Execution, Visit
from keyturn.aws.faults import AwsFault
from keyturn.keyset.transitions import register, revoke
from tests.unit.cli.running import keyturn, supersede, transcript
from tests.unit.stage import START


@pytest.fixture
def keyset_before(booted, origin, clock):
    """The standby has taken over from the first key, and a third one has been made."""
    clock.advance(30)
    before = supersede(booted, origin)
    key = booted.kms.create()
    kid = booted.kms.public_jwk(key.arn).kid

    def add(keyset, now):
        return register(
            keyset, kid, key.arn, now, created=key.created, lifetime=15, limits=booted.limits
        )

    booted.keysets.update(add, origin)
    clock.advance(5)
    return before


@pytest.mark.parametrize("width", [80, 120])
def test_a_stack_at_rest(deployment, cloud, width):
    """It shows two keys, what is due, both bounds; exit status 0."""
    result = keyturn("status", width=width)
    assert result.exit_code == 0
    transcript(cloud, f"status-{width}", result.stdout)


@pytest.mark.parametrize("width", [80, 120])
def test_a_stack_in_the_middle_of_a_rotation(deployment, keyset_before, machine, cloud, width):
    """The grace key with its three instants, and the run that waits; its JWKS is about to follow."""
    arn = "arn:aws:states:us-east-1:123456789012:execution:rotation:run-1"
    machine.running = (Execution(arn, "RUNNING", START, None),)
    machine.states = (Visit("WaitForGrace", START + timedelta(seconds=31), None),)
    result = keyturn("status", width=width)
    assert result.exit_code == 0
    transcript(cloud, f"status-turned-{width}", result.stdout)


def test_what_is_off_is_told_with_its_remedy(deployment, keyset_before, cloud):
    """A JWKS that lags while nothing runs: exit status 1."""
    result = keyturn("status")
    assert result.exit_code == 1
    transcript(cloud, "status-off-80", result.stdout)


def test_no_line_is_wider_than_the_terminal(deployment, keyset_before):
    """At 80 columns nothing wraps that would be cut by a narrower one."""
    printed = keyturn("status", width=80).stdout
    assert max(map(len, printed.splitlines())) <= 80


def test_ended_keys_are_drawn_to_their_end(deployment, keyset_before, booted, origin):
    """A revoked key's lane shows what it was until then, and is known from older generations."""

    def change(keyset, now):
        return revoke(
            keyset, [keyset_before.active.kid], now, times=booted.times, limits=booted.limits
        )

    booted.keysets.update(change, origin)
    output = json.loads(keyturn("status", "--json").stdout)
    [spans] = [one["spans"] for one in output["timeline"] if one["kid"] == keyset_before.active.kid]
    assert [span["phase"] for span in spans] == ["active", "grace"]
    assert not any(span["planned"] for span in spans)
    [key] = [one for one in output["keys"] if one["kid"] == keyset_before.active.kid]
    assert (key["state"], key["kms"], spans[-1]["end"]) == ("revoked", "enabled", key["ended"])
    assert "×" in keyturn("status").stdout


def test_what_cannot_be_read_is_told_and_hides_nothing_else(deployment, aws):
    """Credentials without the right to list executions still see the keys."""
    aws.fail("tag:GetResources", aws.error("AccessDeniedException"), times=9)

    def denied(*_):
        raise AwsFault("states:ListExecutions", "AccessDeniedException")

    deployment.executions.latest = denied
    output = json.loads(keyturn("status", "--json").stdout)
    assert output["running"] is None
    assert output["read_errors"]["executions"] == "states:ListExecutions: AccessDeniedException"
    assert len(output["keys"]) == 2


def test_a_keyset_that_is_gone_is_two_lines_and_no_stack_trace(deployment, cloud):
    """The two lines say what went wrong, and what restores the keyset."""
    names = [f"/keyturn/demo/keyset/{number:012d}" for number in (1, 2)]
    cloud.ssm.delete(names)
    result = keyturn("status")
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.startswith("keyturn: no keyset below /keyturn/demo/keyset")
    assert "`keyturn repair`" in second
    assert result.stdout == ""
    assert type(keyturn("status", "--debug").exception).__name__ == "KeysetMissing"


def test_no_color(deployment):
    """NO_COLOR is heeded even where colours are forced."""
    forced = partial(keyturn, "status", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[3" in forced().stdout
    assert "\x1b[3" not in forced(NO_COLOR="1").stdout
