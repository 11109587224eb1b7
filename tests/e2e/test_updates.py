"""A live stack is deployed again in the middle of a rotation, with another token lifetime."""

import pytest

from keyturn.aws.operator.deployment import Deployment
from tests.e2e.conftest import Deploy, Finish, asking_for
from tools.demo import story
from tools.demo.client import BackgroundClient

PERIODS = {"RotationPeriod": 80}  # room for the longer tokens
L = story.TIMES["TokenLifetime"]


@pytest.fixture(scope="module")
def updated(deploy: Deploy) -> Deployment:
    """A stack of its own."""
    return deploy("keyturn-updated", **PERIODS)


@pytest.mark.parametrize("lifetime", [L // 3, 2 * L], ids=["shorter tokens", "longer tokens"])
def test_an_update_in_mid_rotation_loses_nothing(
    updated: Deployment, deploy: Deploy, finish: Finish, lifetime: int
) -> None:
    """The run ends as it was meant to, no valid token is refused, and only keys made after have it.

    A call may get no answer: an update has MiniStack unpack twenty functions anew, for seconds.
    """
    before = story.at_rest(updated)
    client = BackgroundClient(updated, lambda: "update")
    with client.running() as tally:
        execution = updated.start(asking_for(before.active.kid))
        story.reach(updated, execution, "WaitForGrace")
        standby = updated.keyset.standby
        deploy("keyturn-updated", **PERIODS, TokenLifetime=lifetime)
        assert finish(updated, execution)[-1].state == "Rotated"
    assert tally.refused == []
    assert len(tally.kids) == 2
    after = story.at_rest(updated)
    assert after.active.kid == before.standby.kid
    assert after.standby == standby
    assert after.standby.lifetime != lifetime


def test_keys_made_after_the_update_have_its_lifetime(updated: Deployment, finish: Finish) -> None:
    """The key that the next rotation creates."""
    before = story.at_rest(updated)
    finish(updated, updated.start(asking_for(before.active.kid)))
    assert story.at_rest(updated).standby.lifetime == 2 * L
