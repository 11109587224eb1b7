"""What an emergency does comes in one order, and a step that fails stops none after it."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset.states import State
from keyturn.rotation import reconcile
from keyturn.rotation.conclude_emergency import EmergencyIncomplete
from tests.definition import STATES
from tests.unit.rotation.emergency.paths import EMERGENCY
from tests.unit.rotation.stage import api, emergency, settled
from tests.unit.stage import active_key, invoke, standby_key, truth

REFUSED = "AccessDeniedException"
# What is broken in which state, and what the conclusion calls the step.
FAILURES = [
    ("RevokeKeys", "ssm:PutParameter", "revocation"),
    ("DisableKeys", "kms:DisableKey", "disabling"),
    ("PublishJwksAfterRevoke", "s3:PutObject", "publication"),
    ("ReplaceKeys", "kms:CreateKey", "replacement"),
    ("PublishJwksAfterReplace", "s3:PutObject", "republication"),
    ("FlushAuthorizers", "apigateway:Flush", "flush"),
]


def effects(aws) -> list[str]:
    """The writes so far in order, each told by what it changed; repetitions are told once."""
    told = []
    for operation, params in aws.calls:
        if operation == "ssm:PutParameter":
            revoked = any(key["state"] == "revoked" for key in json.loads(params["Value"])["ended"])
            told.append("keyset" if "revoke" in told or not revoked else "revoke")
        elif operation == "s3:PutObject" and params["Key"] == JWKS:
            told.append("jwks")
        elif operation in ("kms:CreateKey", "kms:DisableKey", "apigateway:Flush"):
            told.append(operation)
    return [what for index, what in enumerate(told) if told[index - 1 : index] != [what]]


def failing(aws, run, state, operation):
    """Let `run` come to `state` and go through it while `operation` is refused."""
    run.until(state)
    fault = aws.fail(operation, aws.error(REFUSED), times=float("inf"))
    following = EMERGENCY[EMERGENCY.index(state) + 1]
    run.until(following)
    fault.end()
    assert run.state == following
    return fault.seen


def test_the_order(flushing, start, cloud, aws, clock, gateway):
    """Revoked, disabled, out of the JWKS; only then a new key; and the flush after C + ε."""
    alarm = emergency(start, active_key(truth(cloud)).kid).until("DisableKeys")
    revoked_at = clock.now()
    assert alarm.finish() == "Revoked"
    assert effects(aws) == [
        "revoke",
        "kms:DisableKey",
        "jwks",
        "kms:CreateKey",
        "keyset",  # registered
        "jwks",
        "keyset",  # published
        "jwks",
        "apigateway:Flush",
    ]
    assert [stage for stage, _ in gateway.flushed] == ["api1/v1", "api2/prod"]
    times = flushing.times
    waited = gateway.flushed[0][1] - revoked_at
    assert waited >= timedelta(seconds=times.view_ttl + times.clock_skew)


def test_the_wait_begins_after_all_else(flushing, start, cloud, clock, gateway):
    """Steps that take long do not eat into it."""
    alarm = emergency(start, active_key(truth(cloud)).kid).until("WaitForViews")
    clock.advance(60)
    entered = clock.now()
    assert alarm.finish() == "Revoked"
    wait = timedelta(seconds=flushing.times.view_ttl + flushing.times.clock_skew)
    assert [at - entered for _, at in gateway.flushed] == [wait, wait]


def test_nothing_to_flush(booted, gateway, start, cloud):
    """Without cached answers and without FlushTargets API Gateway is never called."""
    assert booted.settings.flush_targets == ()
    alarm = emergency(start, active_key(truth(cloud)).kid)
    assert alarm.finish() == "Revoked"
    assert alarm.data["flush"] == {"outcome": "flushed", "stages": []}
    assert gateway.flushed == []


@pytest.fixture
def edge(booted, container, monkeypatch):
    """A stack with a distribution, and what it was asked."""
    stack = container(distribution="E1")
    asked: list[Any] = []
    edge = SimpleNamespace(error=None, asked=asked)

    def create_invalidation(**given):
        asked.append(given["InvalidationBatch"])
        if edge.error:
            raise edge.error
        return {"Invalidation": {"Id": "I1"}}

    client = SimpleNamespace(create_invalidation=create_invalidation)
    monkeypatch.setitem(stack.clients.__dict__, "cloudfront", client)
    return edge


def test_the_edge_forgets_the_jwks(edge, start, cloud):
    """Once an operation, after both publications; other verifiers see them earlier than CdnTtl."""
    alarm = emergency(start, active_key(truth(cloud)).kid)
    assert alarm.finish() == "Revoked"
    assert alarm.data["flush"] == {"outcome": "flushed", "stages": [], "invalidation": "I1"}
    reference = alarm.data["plan"]["op_id"]
    paths = {"Quantity": 1, "Items": ["/.well-known/jwks.json"]}
    assert edge.asked == [{"Paths": paths, "CallerReference": reference}]


@pytest.mark.parametrize("error", [RuntimeError("odd"), ConnectTimeoutError(endpoint_url="x")])
def test_an_edge_that_forgets_nothing_fails_nothing(edge, start, cloud, error):
    """It is asked once, and the outcome says why; CdnTtl bounds what it keeps."""
    edge.error = error
    alarm = emergency(start, active_key(truth(cloud)).kid)
    assert alarm.finish() == "Revoked"
    assert alarm.data["flush"]["invalidation"].startswith("failed: ")
    assert len(edge.asked) == 1


def test_a_stage_that_cannot_be_flushed(flushing, start, cloud, aws, gateway):
    """The others are flushed, and the end of the execution names the step."""
    alarm = emergency(start, active_key(truth(cloud)).kid).until("FlushAuthorizers")
    aws.meanwhile("apigateway:Flush", lambda: _first_stage(aws, gateway), times=float("inf"))
    assert alarm.finish() == "failed"
    assert str(alarm.error) == "flush failed: FlushFailed"
    assert {stage for stage, _ in gateway.flushed} == {"api2/prod"}


def _first_stage(aws, gateway) -> None:
    if aws.operations.count("apigateway:Flush") % 2:
        raise aws.error(REFUSED)


@pytest.mark.parametrize(("state", "operation", "step"), FAILURES)
def test_a_failing_step_stops_none_after_it(
    flushing, start, cloud, aws, gateway, stack, state, operation, step
):
    """The rest is done, and the execution fails at its end naming the one step."""
    active, standby = active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid
    alarm = emergency(start, active)
    tries = 1 + STATES[state]["Retry"][-1]["MaxAttempts"]
    assert failing(aws, alarm, state, operation) == (2 * tries if step == "flush" else tries)
    assert alarm.finish() == "failed"
    assert alarm.visited == EMERGENCY[:-1]
    assert isinstance(alarm.error, EmergencyIncomplete)
    assert str(alarm.error).startswith(f"{step} failed: ")
    assert str(alarm.error).count("failed") == 1

    revoked, key = step != "revocation", truth(cloud).get(active)
    assert (key.state is State.REVOKED) is revoked
    assert cloud.kms.state(key.kms_key_arn) == (
        "Disabled" if revoked and step != "disabling" else "Enabled"
    )
    assert active_key(truth(cloud)).kid == (standby if revoked else active)
    assert bool(truth(cloud).standby) is (step != "replacement")
    assert (active in set(stack.well_known.read().keys)) is not revoked
    assert len(gateway.flushed) == (0 if step == "flush" else 2)
    assert api(stack).check(api(stack).issue()) == "ok"


@pytest.mark.parametrize(("state", "operation", "step"), FAILURES)
def test_it_is_put_right_afterwards(
    flushing, start, cloud, aws, stack, clock, state, operation, step
):
    """The same emergency again, or reconcile where one was revoked, leaves everything whole."""
    active = active_key(truth(cloud)).kid
    alarm = emergency(start, active)
    failing(aws, alarm, state, operation)
    assert alarm.finish() == "failed"
    if step in ("revocation", "flush"):
        assert emergency(start, active).finish() == "Revoked"
    else:
        clock.advance(flushing.limits.settling_time.total_seconds() + 1)
        invoke(reconcile, {})
    settled(stack, cloud, active)


def test_everything_after_the_revocation_fails(flushing, start, cloud, aws, gateway):
    """The key is revoked all the same, and the conclusion names all five."""
    active = active_key(truth(cloud)).kid
    alarm = emergency(start, active)
    for state, operation, _ in FAILURES[1:]:
        failing(aws, alarm, state, operation)
    assert alarm.finish() == "failed"
    assert truth(cloud).get(active).state is State.REVOKED
    steps = [part.partition(" failed")[0] for part in str(alarm.error).split("; ")]
    assert steps == [step for _, _, step in FAILURES[1:]]


@pytest.mark.parametrize("code", ["NotFoundException", REFUSED])
def test_a_key_that_cannot_be_disabled(booted, start, cloud, aws, code):
    """The other keys of the emergency are disabled all the same."""
    first, second = active_key(truth(cloud)), standby_key(truth(cloud))
    alarm = emergency(start, first.kid, second.kid).until("DisableKeys")
    fault = aws.meanwhile(
        "kms:DescribeKey",
        lambda: _refuse(aws, first.kms_key_arn, code),
        times=float("inf"),
    )
    alarm.until("PublishJwksAfterRevoke")
    fault.end()
    assert cloud.kms.state(second.kms_key_arn) == "Disabled"
    alarm.finish()


def _refuse(aws, arn, code) -> None:
    if aws.calls[-1][1]["KeyId"] == arn:
        raise aws.error(code)
