"""CreateKey: a standby afterwards, and as few KMS keys as lost replies and crashes allow."""

from datetime import timedelta

import pytest

from keyturn.aws.faults import Throttled, Unanswered
from keyturn.aws.keyset_reader import KeysetMissing
from keyturn.keyset.states import State
from keyturn.keyset.transitions import register, revoke
from keyturn.rotation import create_key
from keyturn.rotation.create_key import TooManyUnclaimedKeys


@pytest.fixture
def kms_keys(backdoor):
    """The ARNs of all KMS keys."""
    return lambda: [key["KeyArn"] for key in backdoor.kms.list_keys()["Keys"]]


@pytest.fixture
def step(invoke, planned):
    """Run the step for one operation."""
    return lambda op_id="op-1": invoke(create_key, planned(op_id=op_id))


def test_the_new_key_is_the_standby(founded, step, truth, clock, kms_keys):
    """Registered under its thumbprint, with this deployment's token lifetime, not yet published."""
    outcome = step()
    standby = truth().standby
    assert outcome == {"outcome": "created", "kid": standby.kid}
    assert [standby.kms_key_arn] == kms_keys()
    assert standby.kid == founded.kms.public_jwk(standby.kms_key_arn).kid
    assert (standby.state, standby.lifetime) == (State.STANDBY, 15)
    assert (standby.created, standby.published) == (clock.now(), None)


def test_the_key_is_tagged_with_its_operation(founded, step, kms_keys, backdoor):
    """So that a later attempt of this very operation, and no other, finds it."""
    step("op-7")
    [arn] = kms_keys()
    tags = backdoor.kms.list_resource_tags(KeyId=arn)["Tags"]
    assert {tag["TagKey"]: tag["TagValue"] for tag in tags} == {
        "keyturn:stack": "demo",
        "keyturn:op_id": "op-7",
    }


def test_where_there_is_a_standby_nothing_is_created(booted, step, truth, world, aws):
    """Not even KMS is asked."""
    before = world()
    assert step() == {"outcome": "exists", "kid": truth().standby.kid}
    assert world() == before
    assert not [call for call in aws.operations if not call.startswith("ssm:Get")]


@pytest.mark.parametrize("call", ["kms:GetPublicKey", "ssm:PutParameter"])
def test_a_key_of_an_earlier_attempt_is_claimed(founded, step, truth, aws, kms_keys, call):
    """A crash between CreateKey and the registration costs no second key."""
    aws.fail(call, aws.error("ThrottlingException"), times=3)
    with pytest.raises(Throttled):
        step()
    created = kms_keys()
    assert (len(created), truth().standby) == (1, None)
    aws.reset()
    assert step()["outcome"] == "created"
    assert (kms_keys(), truth().standby.kms_key_arn) == (created, created[0])


def test_a_key_whose_reply_was_lost_is_claimed(founded, step, truth, aws, kms_keys):
    """CreateKey timed out and had its effect: the next attempt registers that key."""
    aws.fail("kms:CreateKey", aws.timeout, after=True)
    with pytest.raises(Unanswered):
        step()
    assert step()["outcome"] == "created"
    assert kms_keys() == [truth().standby.kms_key_arn]


def test_a_lost_registration_reply_counts_once(founded, step, truth, aws, kms_keys):
    """The registration is found on the next look; there is one generation more and one key."""
    before = founded.keysets.read().number
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    assert step()["outcome"] == "created"
    assert (founded.keysets.read().number, len(kms_keys())) == (before + 1, 1)


def test_a_key_of_another_operation_is_not_claimed(founded, step, truth, kms_keys):
    """It may be registered by its own run at any moment."""
    theirs = founded.kms.create("op-other")
    step()
    assert len(kms_keys()) == 2
    assert truth().standby.kms_key_arn != theirs.arn


def test_an_old_key_is_not_claimed(founded, step, truth, clock):
    """Under 24 h old, strictly: after that it is the orphan sweep's."""
    own = founded.kms.create("op-1")
    clock.advance(timedelta(hours=24).total_seconds())
    step()
    assert truth().standby.kms_key_arn != own.arn


def test_a_young_key_is_claimed_to_the_last_second(founded, step, truth, clock):
    """At 23:59:59 it still counts."""
    own = founded.kms.create("op-1")
    clock.advance(timedelta(hours=24).total_seconds() - 1)
    step()
    assert truth().standby.kms_key_arn == own.arn


def test_a_disabled_key_is_not_claimed(founded, step, truth, backdoor):
    """It could not sign."""
    own = founded.kms.create("op-1")
    backdoor.kms.disable_key(KeyId=own.arn)
    step()
    assert truth().standby.kms_key_arn != own.arn


def test_a_key_that_a_generation_knows_is_not_claimed(booted, truth, step, change, kms_keys):
    """This operation's first standby was revoked: its second one is another key."""
    spoiled = truth().standby
    change(revoke, [spoiled.kid], times=booted.times, ages=booted.ages)
    assert step("op-1")["outcome"] == "created"
    assert truth().standby.kms_key_arn not in {key.kms_key_arn for key in truth().ended}
    assert len(kms_keys()) == 3


def test_the_loser_of_the_race_leaves_its_key_alone(founded, step, truth, aws, change):
    """Somebody else registered first: their standby counts, and our key stays as it was born."""

    def race():
        theirs = founded.kms.create("op-other")
        change(
            lambda keyset, now: register(
                keyset,
                founded.kms.public_jwk(theirs.arn).kid,
                theirs.arn,
                now,
                created=theirs.created,
                lifetime=15,
                ages=founded.ages,
            )
        )

    aws.meanwhile("ssm:PutParameter", race)
    outcome = step()
    assert outcome == {"outcome": "exists", "kid": truth().standby.kid}
    states = {key.arn: (key.op_id, key.enabled) for key in founded.kms.of_stack()}
    assert set(states.values()) == {("op-1", True), ("op-other", True)}
    assert states[truth().standby.kms_key_arn] == ("op-other", True)


@pytest.mark.parametrize(("unclaimed", "created"), [(3, True), (4, False), (5, False)])
def test_four_unclaimed_keys_are_enough(founded, step, kms_keys, unclaimed, created):
    """Keys that are made and never registered must not become thousands."""
    for number in range(unclaimed):
        founded.kms.create(f"op-lost-{number}")
    if created:
        step()
    else:
        with pytest.raises(TooManyUnclaimedKeys, match=f"^{unclaimed} KMS keys"):
            step()
    assert len(kms_keys()) == unclaimed + created


def test_the_own_key_is_claimed_among_many(founded, step, truth, kms_keys):
    """The limit is on creating; a key that is there already may be used."""
    for number in range(4):
        founded.kms.create(f"op-lost-{number}")
    own = founded.kms.create("op-1")
    step()
    assert (truth().standby.kms_key_arn, len(kms_keys())) == (own.arn, 5)


def test_keys_that_are_going_do_not_count(founded, step, kms_keys):
    """What is pending deletion costs nothing and blocks nothing."""
    for number in range(4):
        founded.kms.destroy(founded.kms.create(f"op-lost-{number}").arn, window=7)
    assert step()["outcome"] == "created"


def test_without_a_keyset_no_key_is_created(stack, invoke, kms_keys):
    """A missing truth is no reason to make keys."""
    plan = {"op_id": "op-1", "reason": "trying", "supersede": None}
    with pytest.raises(KeysetMissing):
        invoke(create_key, {"mode": "scheduled", "started_by": "tests", "plan": plan})
    assert kms_keys() == []
