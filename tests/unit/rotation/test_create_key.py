"""CreateKey: there is a standby afterwards, and as few KMS keys as lost replies and crashes allow."""

import pytest

from keyturn.aws.faults import KeyUnusable, Throttled
from keyturn.aws.keyset.kms_keys import ForeignKey
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.keyset.states import State
from keyturn.rotation import create_key
from tests.permissions.key_policy import Principal
from tests.unit.rotation.stage import planned
from tests.unit.stage import invoke, standby_key, standby_kid, truth


def run(cloud):
    """Run the step."""
    return invoke(create_key, planned(cloud))


def test_the_new_key_is_the_standby(founded, cloud, clock):
    """It is registered under its thumbprint, with this deployment's token lifetime, unpublished."""
    outcome = run(cloud)
    standby = standby_key(truth(cloud))
    assert outcome == {"outcome": "created", "kid": standby.kid}
    assert [standby.kms_key_arn] == list(cloud.kms.keys)
    assert standby.kid == founded.kms.public_jwk(standby.kms_key_arn).kid
    assert (standby.state, standby.lifetime) == (State.STANDBY, 15)
    assert (standby.created, standby.published) == (clock.now(), None)


def test_an_existing_standby_is_used(booted, cloud, aws):
    """KMS is not even called."""
    before = cloud.snapshot()
    assert run(cloud) == {"outcome": "exists", "kid": standby_kid(cloud)}
    assert cloud.snapshot() == before
    assert not [call for call in aws.operations if not call.startswith("ssm:Get")]


@pytest.mark.parametrize(
    "call", ["kms:GetPublicKey", "kms:GetKeyPolicy", "kms:ListGrants", "ssm:PutParameter"]
)
def test_a_key_that_was_not_registered_is_left_to_the_sweep(founded, cloud, aws, call):
    """The next attempt adopts no key: it creates its own."""
    aws.fail(call, aws.error("ThrottlingException"), times=3)
    with pytest.raises(Throttled):
        run(cloud)
    [unregistered] = cloud.kms.keys
    assert truth(cloud).standby is None
    aws.reset()
    assert run(cloud)["outcome"] == "created"
    assert len(cloud.kms.keys) == 2
    assert standby_key(truth(cloud)).kms_key_arn != unregistered


@pytest.mark.parametrize(
    "code", ["NotFoundException", "KMSInvalidStateException", "AccessDeniedException"]
)
@pytest.mark.parametrize("call", ["kms:GetKeyPolicy", "kms:ListGrants", "kms:GetPublicKey"])
def test_kms_may_need_seconds_to_know_a_new_key(founded, cloud, aws, call, code):
    """The step waits, if need be for minutes, until the key and its policy are known."""
    aws.fail(call, aws.error(code), times=70)
    assert run(cloud)["outcome"] == "created"
    assert list(cloud.kms.keys) == [standby_key(truth(cloud)).kms_key_arn]


def test_the_step_gives_up_after_five_minutes(founded, cloud, aws, clock):
    """It fails if KMS does not know its key until then, and is retried with another key."""
    aws.fail("kms:GetPublicKey", aws.error("NotFoundException"), times=999)
    start = clock.monotonic()
    with pytest.raises(KeyUnusable):
        run(cloud)
    assert 300 < clock.monotonic() - start < 305
    assert len(cloud.kms.keys) == 1


def _lend(kms, arn):
    kms.lend(arn, Principal("arn:aws:iam::123456789012:role/thief"), "kms:Sign")


def _open(kms, arn):
    kms.set_policy(arn, '{"Statement": []}')


@pytest.mark.parametrize("tamper", [_lend, _open])
def test_a_key_that_is_not_ours_alone_is_not_registered(founded, cloud, aws, tamper):
    """If someone gets access between creation and registration, the key is never trusted."""
    aws.meanwhile("kms:GetKeyPolicy", lambda: tamper(cloud.kms, next(iter(cloud.kms.keys))))
    with pytest.raises(ForeignKey):
        run(cloud)
    assert truth(cloud).standby is None


def test_a_lost_registration_reply_counts_once(founded, cloud, aws):
    """The next read shows the registration; there is one generation more and one key."""
    before = founded.keysets.read().number
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    assert run(cloud)["outcome"] == "created"
    assert (founded.keysets.read().number, len(list(cloud.kms.keys))) == (before + 1, 1)


def test_a_lost_race_leaves_the_key_unregistered(founded, cloud, aws):
    """The standby that another execution registered first counts; our key stays as it is."""
    other = planned(cloud, op_id="op-2")
    aws.meanwhile("ssm:PutParameter", lambda: invoke(create_key, other))
    assert run(cloud) == {"outcome": "exists", "kid": standby_kid(cloud)}
    ours, theirs = cloud.kms.keys
    assert standby_key(truth(cloud)).kms_key_arn == theirs
    assert cloud.kms.state(ours) == "Enabled"


def test_unregistered_keys_never_stop_an_execution(founded, cloud):
    """However many there are, the step creates its own key."""
    for _ in range(10):
        founded.kms.create()
    assert run(cloud) == {"outcome": "created", "kid": standby_kid(cloud)}


def test_without_a_keyset_no_key_is_created(stack, cloud):
    """The step fails."""
    plan = {"op_id": "op-1", "reason": "trying", "supersede": None}
    with pytest.raises(KeysetMissing):
        invoke(create_key, {"mode": "scheduled", "started_by": "tests", "plan": plan})
    assert list(cloud.kms.keys) == []
