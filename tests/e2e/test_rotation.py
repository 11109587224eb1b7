"""Rotations on the local AWS: the unusual ones; `make demo` shows the usual one under load."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset.model import Origin
from keyturn.keyset.timing import Limits, Times
from keyturn.keyset.transitions import revoke
from tests.e2e.conftest import Deploy, finish, start_rotation
from tests.e2e.test_doctor import disable_schedule
from tools.demo import story


@pytest.fixture(scope="module", autouse=True)
def scheduled(deploy: Deploy) -> Iterator[Deployment]:
    """A stack whose schedule fires every minute: it is deployed first, and waits beside the other tests."""
    deployment = deploy("keyturn-scheduled", RotationSchedule="rate(1 minute)")
    yield deployment
    disable_schedule(deployment)  # what it starts would go on beside the tests of other files


@pytest.fixture(scope="module", autouse=True)
def first_kid(scheduled: Deployment) -> str:
    """The key that signs when the stack has come up."""
    return story.at_rest(scheduled).active.kid


def test_two_rotations_at_once_turn_the_key_once(deployment: Deployment) -> None:
    """A duplicate start finds that the other did the work, and succeeds without creating a key."""
    before = story.at_rest(deployment)
    keys_before = len(deployment.kms.list_own())

    executions = [start_rotation(deployment, before.active.kid) for _ in range(2)]
    ends = sorted(finish(deployment, execution)[-1].state for execution in executions)

    after = story.at_rest(deployment)
    assert after.active.kid == before.standby.kid
    assert "Rotated" in ends
    assert set(ends) <= {"Rotated", "Overtaken", "NotDue"}
    assert len(deployment.kms.list_own()) - keys_before <= 1


def test_a_rotation_that_is_not_due_does_nothing(deployment: Deployment) -> None:
    """An operator's rotation of a key that is not active changes nothing and ends in NotDue."""
    generation = deployment.keysets.read()
    visits = finish(deployment, start_rotation(deployment, "A" * 43))
    assert visits[-1].state == "NotDue"
    assert deployment.keysets.read() == generation


def test_a_standby_is_published_long_enough_before_it_signs(deployment: Deployment) -> None:
    """Without a standby a rotation makes one and waits max(P, C) + ω + ε before it signs."""
    before = story.at_rest(deployment)
    gone = before.standby.kid
    times = Times(1, 4, 15, 2, 1, 5, 5, 0, 40, 10, 1, 0)
    deployment.keysets.update(
        lambda keyset, now: revoke(keyset, [gone], now, times=times, limits=Limits()),
        Origin("test", "test", "lose the standby"),
    )

    visits = finish(deployment, start_rotation(deployment, before.active.kid))

    after = story.at_rest(deployment)
    active = after.active
    assert active.published is not None
    assert active.activated is not None
    assert active.activated - active.published > timedelta(seconds=10)
    waited = next(visit for visit in visits if visit.state == "WaitForPropagation")
    assert waited.exited is not None
    assert waited.exited - waited.entered > timedelta(seconds=7)


def test_input_that_is_not_understood_fails(deployment: Deployment) -> None:
    """Invalid input fails in the first state, with the field's name, and creates nothing.

    MiniStack gives every exception the same name, so it would retry here for minutes.
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


def test_the_schedule_starts_rotations(scheduled: Deployment, first_kid: str) -> None:
    """EventBridge Scheduler starts the rotation of a key whose period is over."""
    story.wait_until(
        lambda: story.active_key(scheduled).kid != first_kid,
        180,
        "no rotation within three minutes",
        pause=1,
    )
    states, machine = scheduled.clients.states, scheduled.outputs["StateMachineArn"]
    inputs = [
        json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"])
        for execution in states.list_executions(stateMachineArn=machine)["executions"]
    ]
    assert {"mode": "scheduled", "started_by": "schedule"} in inputs
