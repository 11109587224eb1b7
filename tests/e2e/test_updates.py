"""A live stack is deployed again in the middle of a rotation, with another token lifetime."""

import pytest

from keyturn.aws.operator.deployment import Deployment
from tests.e2e.conftest import Deploy, finish, start_rotation
from tools.demo import story
from tools.demo.client import BackgroundClient

STACK = "keyturn-updated"
PERIODS = {"RotationPeriod": 80}  # room for the longer tokens
L = story.TIMES["TokenLifetime"]


@pytest.fixture(scope="module")
def updated(deploy: Deploy) -> Deployment:
    """A stack of its own."""
    return deploy(STACK, **PERIODS)


@pytest.mark.parametrize("lifetime", [L // 3, 2 * L], ids=["shorter tokens", "longer tokens"])
def test_an_update_in_mid_rotation_loses_nothing(
    updated: Deployment, deploy: Deploy, lifetime: int
) -> None:
    """The rotation succeeds, no valid token is refused, and only keys created after an update have its lifetime.

    A call may get no answer: an update has MiniStack unpack twenty functions anew, for seconds.
    """
    before = story.at_rest(updated)
    deployed_lifetime = Deployment.find(STACK).settings.times.token_lifetime
    client = BackgroundClient(updated, lambda: "update")
    with client.running() as tally:
        execution = start_rotation(updated, before.active.kid)
        story.reach(updated, execution, "WaitForGrace")
        standby = updated.keyset.standby
        deploy(STACK, **PERIODS, TokenLifetime=lifetime)
        assert finish(updated, execution)[-1].state == "Rotated"
    assert tally.refused == []
    assert len(tally.kids) == 2
    after = story.at_rest(updated)
    assert after.active.kid == before.standby.kid
    assert after.standby == standby
    assert after.standby.lifetime == deployed_lifetime != lifetime
