"""Rotations on the local AWS: the unusual ones; `make demo` shows the usual one under load."""

import json
import time
from datetime import timedelta

import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset.model import Origin
from keyturn.keyset.timing import Limits, Times
from keyturn.keyset.transitions import revoke
from tests.e2e.conftest import Deploy, Finish, asking_for
from tools.demo import story


def test_two_rotations_at_once_turn_the_key_once(deployment: Deployment, finish: Finish) -> None:
    """A duplicate start finds its work done by the other and ends green, leaving nothing."""
    before = story.at_rest(deployment)
    asked = before.active.kid
    keys_before = len(deployment.kms.list_own())

    executions = [deployment.start(asking_for(asked)) for _ in range(2)]
    ends = sorted(finish(deployment, execution)[-1].state for execution in executions)

    after = story.at_rest(deployment)
    assert after.active.kid == before.standby.kid
    assert "Rotated" in ends
    assert set(ends) <= {"Rotated", "Overtaken", "NotDue"}
    assert len(deployment.kms.list_own()) - keys_before <= 1


def test_a_rotation_that_is_not_due_does_nothing(deployment: Deployment, finish: Finish) -> None:
    """An operator's rotation whose key is no longer active changes nothing and says so."""
    generation = deployment.keysets.read()
    visits = finish(deployment, deployment.start(asking_for("A" * 43)))
    assert visits[-1].state == "NotDue"
    assert deployment.keysets.read() == generation


def test_a_standby_is_published_long_enough_before_it_signs(
    deployment: Deployment, finish: Finish
) -> None:
    """Without a standby a rotation makes one and waits max(P, C) + ω + ε before it signs."""
    before = story.at_rest(deployment)
    gone = before.standby.kid
    times = Times(1, 4, 15, 2, 1, 5, 5, 0, 40, 10, 1, 0)
    deployment.keysets.update(
        lambda keyset, now: revoke(keyset, [gone], now, times=times, limits=Limits()),
        Origin("test", "test", "lose the standby"),
    )

    visits = finish(deployment, deployment.start(asking_for(before.active.kid)))

    after = story.at_rest(deployment)
    active = after.active
    assert active.published is not None
    assert active.activated is not None
    assert active.activated - active.published > timedelta(seconds=10)
    waited = next(visit for visit in visits if visit.state == "WaitForPropagation")
    assert waited.exited is not None
    assert waited.exited - waited.entered > timedelta(seconds=7)


def test_input_that_is_not_understood_fails(deployment: Deployment) -> None:
    """In the first state, with the field's name, before anything was created.

    MiniStack gives every exception the same name, so it would try again here for minutes.
    """
    generation = deployment.keysets.read()
    planted = {"kids": [], "plan": {"op_id": "theirs", "reason": "theirs"}}
    execution = deployment.start({"mode": "scheduled", "started_by": "", **planted})
    states = deployment.clients.states
    while "kids: Extra inputs are not permitted" not in (
        history := str(states.get_execution_history(executionArn=execution)["events"])
    ):
        assert deployment.executions.status(execution) == "RUNNING"
        time.sleep(0.25)
    states.stop_execution(executionArn=execution)
    assert "started_by: " in history
    assert "plan: Extra inputs are not permitted" in history
    entered = [visit.state for visit in deployment.executions.visits(execution)]
    assert entered == ["KeepRequest", "PlanRotation"]
    assert deployment.keysets.read() == generation


def test_the_schedule_starts_rotations_by_itself(deploy: Deploy) -> None:
    """EventBridge Scheduler turns a key whose period is over, with nobody asking."""
    deployment = deploy("keyturn-scheduled", RotationSchedule="rate(1 minute)")
    first = story.at_rest(deployment).active
    for _ in range(180):
        keyset = deployment.keyset
        if keyset.active and keyset.active.kid != first.kid:
            break
        time.sleep(1)
    else:
        pytest.fail("no rotation within three minutes")
    machine = deployment.outputs["StateMachineArn"]
    executions = deployment.clients.states.list_executions(stateMachineArn=machine)["executions"]
    inputs = [
        json.loads(
            deployment.clients.states.describe_execution(executionArn=e["executionArn"])["input"]
        )
        for e in executions
    ]
    assert {"mode": "scheduled", "started_by": "schedule"} in inputs
