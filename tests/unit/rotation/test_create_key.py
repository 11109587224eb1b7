"""CreateKey: a standby afterwards, and as few KMS keys as lost replies and crashes allow."""

import pytest

from keyturn.aws.faults import KeyUnusable, Throttled
from keyturn.aws.keyset.kms_keys import ForeignKey
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.keyset.states import State
from keyturn.keyset.transitions import register
from keyturn.rotation import create_key
from tests.permissions.key_policy import Principal
from tests.unit.changes import change
from tests.unit.rotation.stage import planned
from tests.unit.stage import invoke, standby_key, standby_kid, truth


def step(cloud, op_id="op-1"):
    """Run the step for one operation."""
    return invoke(create_key, planned(cloud, op_id=op_id))


def test_the_new_key_is_the_standby(founded, cloud, clock):
    """Registered under its thumbprint, with this deployment's token lifetime, not yet published."""
    outcome = step(cloud)
    standby = standby_key(truth(cloud))
    assert outcome == {"outcome": "created", "kid": standby.kid}
    assert [standby.kms_key_arn] == list(cloud.kms.keys)
    assert standby.kid == founded.kms.public_jwk(standby.kms_key_arn).kid
    assert (standby.state, standby.lifetime) == (State.STANDBY, 15)
    assert (standby.created, standby.published) == (clock.now(), None)


def test_where_there_is_a_standby_nothing_is_created(booted, cloud, aws):
    """Not even KMS is asked."""
    before = cloud.snapshot()
    assert step(cloud) == {"outcome": "exists", "kid": standby_kid(cloud)}
    assert cloud.snapshot() == before
    assert not [call for call in aws.operations if not call.startswith("ssm:Get")]


@pytest.mark.parametrize(
    "call", ["kms:GetPublicKey", "kms:GetKeyPolicy", "kms:ListGrants", "ssm:PutParameter"]
)
def test_a_key_that_was_not_registered_is_left_to_the_sweep(founded, cloud, aws, call):
    """No key is adopted for the operation that it seems to belong to: the next attempt makes its own."""
    aws.fail(call, aws.error("ThrottlingException"), times=3)
    with pytest.raises(Throttled):
        step(cloud)
    [left] = list(cloud.kms.keys)
    assert truth(cloud).standby is None
    aws.reset()
    assert step(cloud)["outcome"] == "created"
    assert len(list(cloud.kms.keys)) == 2
    assert standby_key(truth(cloud)).kms_key_arn != left


@pytest.mark.parametrize(
    "code", ["NotFoundException", "KMSInvalidStateException", "AccessDeniedException"]
)
@pytest.mark.parametrize("call", ["kms:GetKeyPolicy", "kms:ListGrants", "kms:GetPublicKey"])
def test_kms_may_need_seconds_to_know_a_new_key(founded, cloud, aws, call, code):
    """Or, in some cases, minutes: the step waits for its key and its policy to be known."""
    aws.fail(call, aws.error(code), times=70)
    assert step(cloud)["outcome"] == "created"
    assert list(cloud.kms.keys) == [standby_key(truth(cloud)).kms_key_arn]


def test_a_key_that_kms_never_knows_is_given_up(founded, cloud, aws, clock):
    """After five minutes the step fails, and is retried with another key."""
    aws.fail("kms:GetPublicKey", aws.error("NotFoundException"), times=999)
    began = clock.monotonic()
    with pytest.raises(KeyUnusable):
        step(cloud)
    assert 300 < clock.monotonic() - began < 305
    assert len(list(cloud.kms.keys)) == 1


def _lend(kms, arn):
    kms.lend(arn, Principal("arn:aws:iam::123456789012:role/thief"), "kms:Sign")


def _open(kms, arn):
    kms.set_policy(arn, '{"Statement": []}')


@pytest.mark.parametrize("tamper", [_lend, _open])
def test_a_key_that_is_not_ours_alone_is_not_registered(founded, cloud, aws, tamper):
    """Who got hold of it between its birth and its registration keeps a key that nobody trusts."""
    aws.meanwhile("kms:GetKeyPolicy", lambda: tamper(cloud.kms, next(iter(cloud.kms.keys))))
    with pytest.raises(ForeignKey):
        step(cloud)
    assert truth(cloud).standby is None


def test_a_lost_registration_reply_counts_once(founded, cloud, aws):
    """The registration is found on the next look; there is one generation more and one key."""
    before = founded.keysets.read().number
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    assert step(cloud)["outcome"] == "created"
    assert (founded.keysets.read().number, len(list(cloud.kms.keys))) == (before + 1, 1)


def test_the_loser_of_the_race_leaves_its_key_alone(founded, cloud, aws, stack):
    """Somebody else registered first: their standby counts, and our key stays as it was born."""

    arns = []

    def race():
        theirs = founded.kms.create()
        arns.append(theirs.arn)
        change(
            stack,
            lambda keyset, now: register(
                keyset,
                founded.kms.public_jwk(theirs.arn).kid,
                theirs.arn,
                now,
                created=theirs.created,
                lifetime=15,
                limits=founded.limits,
            ),
        )

    aws.meanwhile("ssm:PutParameter", race)
    outcome = step(cloud)
    assert outcome == {"outcome": "exists", "kid": standby_kid(cloud)}
    ours, theirs = sorted(founded.kms.list_own(), key=lambda key: key.arn == arns[0])
    assert standby_key(truth(cloud)).kms_key_arn == theirs.arn
    assert ours.enabled


def test_unregistered_keys_never_stop_an_execution(founded, cloud):
    """However many there are."""
    for _ in range(10):
        founded.kms.create()
    assert step(cloud) == {"outcome": "created", "kid": standby_kid(cloud)}


def test_without_a_keyset_no_key_is_created(stack, cloud):
    """A missing truth is no reason to make keys."""
    plan = {"op_id": "op-1", "reason": "trying", "supersede": None}
    with pytest.raises(KeysetMissing):
        invoke(create_key, {"mode": "scheduled", "started_by": "tests", "plan": plan})
    assert list(cloud.kms.keys) == []
