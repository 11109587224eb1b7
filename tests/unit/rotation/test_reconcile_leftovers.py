"""Reconcile, continued: KMS keys that nobody registered, and generations that nobody reads."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.aws.well_known import JWKS
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import revoke
from keyturn.rotation import reconcile
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.reconcile import RepairFailed

BUCKET = "keyturn-demo"
HOUR = timedelta(hours=1).total_seconds()


@pytest.fixture
def repair(invoke):
    """Let the function run once; returns what it repaired, by name."""
    return lambda: invoke(reconcile, {})


@pytest.fixture
def states(backdoor):
    """The state of each of these KMS keys."""
    return lambda keys: [
        backdoor.kms.describe_key(KeyId=key.arn)["KeyMetadata"]["KeyState"] for key in keys
    ]


@pytest.fixture
def orphans(booted, clock):
    """Five keys that were created and never registered, 48 h and a second ago."""
    made = [booted.kms.create(f"op-lost-{number}") for number in range(5)]
    clock.advance(48 * HOUR + 1)
    return made


def test_orphans_are_swept_two_a_run(booted, orphans, repair, states):
    """Slowly, so that a mistake is seen before it is complete."""
    for gone in (2, 4, 5, 5):
        repair()
        assert states(orphans).count("PendingDeletion") == gone
    assert states(orphans) == ["PendingDeletion"] * 5


def test_a_swept_orphan_is_named(booted, orphans, repair):
    """The log says which keys went."""
    swept = repair()["sweep_orphans"]
    assert len(swept) == 2
    assert set(swept) <= {key.arn for key in orphans}


def test_an_orphan_is_swept_only_when_older_than_two_days(booted, clock, repair, states):
    """Its run may still be about to register it."""
    lost = [booted.kms.create("op-lost")]
    clock.advance(48 * HOUR)
    assert "sweep_orphans" not in repair()
    assert states(lost) == ["Enabled"]
    clock.advance(1)
    repair()
    assert states(lost) == ["PendingDeletion"]


def test_a_disabled_orphan_is_swept(booted, orphans, repair, states, backdoor):
    """As after a sweep that was interrupted between its two calls."""
    for key in orphans:
        backdoor.kms.disable_key(KeyId=key.arn)
    repair()
    assert states(orphans).count("PendingDeletion") == 2


def test_a_key_in_any_generation_is_no_orphan(booted, clock, repair, states, truth, change):
    """Even if only an older generation knows it."""
    forgotten = truth().standby
    change(lambda keyset, _now: Keyset((keyset.active,), keyset.ended))
    clock.advance(48 * HOUR + 1)
    repair()
    assert booted.kms.describe(forgotten.kms_key_arn).enabled


def test_an_ended_key_that_only_an_older_generation_remembers_is_destroyed(
    booted, clock, repair, truth, change, times
):
    """Nothing ran for so long that it was forgotten while KMS still kept it (found by simulation)."""
    gone = truth().standby
    change(lambda keyset, now: revoke(keyset, [gone.kid], now, times=times, ages=booted.ages))
    clock.advance(49 * HOUR)
    change(lambda keyset, _now: Keyset(keyset.keys))
    assert truth().find(gone.kid) is None
    repair()
    assert booted.kms.describe(gone.kms_key_arn).pending_deletion


def test_a_key_in_the_jwks_is_no_orphan(booted, orphans, repair, states, backdoor):
    """Whoever put it there: somebody may be verifying with it."""
    shown = orphans[0]
    found = backdoor.s3.get_object(Bucket=BUCKET, Key=JWKS)
    document = json.loads(found["Body"].read())
    document["keys"].append(booted.kms.public_jwk(shown.arn).members())
    backdoor.s3.put_object(
        Bucket=BUCKET,
        Key=JWKS,
        Body=json.dumps(document).encode(),
        Metadata=found["Metadata"],
        CacheControl=found["CacheControl"],
    )
    for _ in range(4):
        repair()
    assert states(orphans) == ["Enabled"] + ["PendingDeletion"] * 4


def test_a_key_of_another_stack_is_no_orphan(booted, clock, repair, backdoor):
    """The tag names the stack."""
    tags = [{"TagKey": "keyturn:stack", "TagValue": "another"}]
    other = backdoor.kms.create_key(Tags=tags)["KeyMetadata"]
    clock.advance(48 * HOUR + 1)
    assert "sweep_orphans" not in repair()
    assert backdoor.kms.describe_key(KeyId=other["Arn"])["KeyMetadata"]["Enabled"]


@pytest.fixture
def generations(booted, origin, clock):
    """Write so many more generations, a minute apart, and show the last one."""

    def toggle(keyset, now):
        standby = keyset.standby
        toggled = replace(standby, published=None if standby.published else now)
        return replace(keyset, keys=(keyset.active, toggled))

    def generations(more: int):
        for _ in range(more):
            clock.advance(60)
            booted.keysets.update(toggle, origin)
        project(booted, origin)

    return generations


def test_old_generations_are_pruned(booted, generations, repair, clock, world):
    """The highest and four older ones stay in SSM; the rest is in the history, text by text."""
    generations(8)
    stored = booted.keysets.stored()
    top = max(stored)
    clock.advance(HOUR + 1)
    assert repair()["prune_generations"] == list(range(1, top - 4))
    assert sorted(booted.keysets.stored()) == list(range(top - 4, top + 1))
    objects = world()["objects"]
    for number, text in stored.items():
        assert objects[f"history/{number:012d}.json"][0] == text.encode()


def test_young_generations_are_not_pruned(booted, generations, repair, clock):
    """Over an hour old, strictly: a slow reader may still hold one."""
    generations(8)
    first = booted.keysets.parsed(1, booted.keysets.stored()[1])
    clock.wall = first.at + timedelta(hours=1)
    assert "prune_generations" not in repair()
    clock.advance(1)
    pruned = repair()["prune_generations"]
    assert 1 in pruned
    assert len(pruned) < 8


def test_five_generations_are_never_pruned(booted, generations, repair, clock):
    """However old they are."""
    generations(4)
    top = max(booted.keysets.stored())
    for pruned in (list(range(1, top - 4)), None):
        clock.advance(1000 * HOUR)
        assert repair().get("prune_generations") == pruned
    assert sorted(booted.keysets.stored()) == list(range(top - 4, top + 1))


def test_a_generation_that_is_not_in_the_history_stays(booted, generations, repair, clock, aws):
    """Without the audit trail nothing is deleted."""
    generations(8)
    clock.advance(HOUR + 1)
    before = booted.keysets.stored()
    aws.fail("s3:PutObject", aws.error("AccessDenied", 403), nth=3, times=99)
    with pytest.raises(RepairFailed, match="prune_generations: s3:PutObject"):
        repair()
    assert booted.keysets.stored() == before


def test_another_text_in_the_history_is_told(booted, generations, repair, clock, printed):
    """A write that did not count never stops the pruning; the log keeps what it said."""
    generations(8)
    booted.history.keep(3, '{"generation":3}')
    clock.advance(HOUR + 1)
    text = booted.keysets.stored()[3]
    repair()
    assert 3 not in booted.keysets.stored()
    told = [json.loads(line) for line in printed().splitlines()]
    assert [line["document"] for line in told if line.get("message") == "stray_generation"] == [
        text
    ]
