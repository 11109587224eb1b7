"""Reconcile, continued: KMS keys that were never registered, and generations that are over."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.transitions import revoke
from keyturn.rotation import reconcile
from keyturn.rotation.orphans import find_orphans
from keyturn.rotation.prune_generations import prune_generations
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.reconcile import RepairFailed
from keyturn.rotation.record_changes import record_changes
from tests.permissions.key_policy import default_policy
from tests.unit.changes import change
from tests.unit.stage import active_key, invoke, standby_key, truth

BUCKET = "keyturn-demo"
HOUR = timedelta(hours=1).total_seconds()


@pytest.fixture
def orphans(booted, clock):
    """Five keys that were created and never registered, two hours and a second ago."""
    keys = [booted.kms.create() for number in range(5)]
    clock.advance(2 * HOUR + 1)
    return keys


def test_orphans_are_swept_two_a_run(booted, orphans, cloud):
    """Slowly, so that a mistake is seen before it is complete."""
    for gone in (2, 4, 5, 5):
        invoke(reconcile, {})
        assert [cloud.kms.state(key.arn) for key in orphans].count("PendingDeletion") == gone
    assert [cloud.kms.state(key.arn) for key in orphans] == ["PendingDeletion"] * 5


def test_a_swept_orphan_is_named(booted, orphans):
    """The log says which keys went."""
    swept = invoke(reconcile, {})["sweep_orphans"]
    assert len(swept) == 2
    assert set(swept) <= {key.arn for key in orphans}


def test_an_orphan_is_swept_only_when_no_run_can_register_it(booted, clock, cloud):
    """Two hours after its birth, strictly."""
    lost = [booted.kms.create()]
    clock.advance(2 * HOUR)
    assert "sweep_orphans" not in invoke(reconcile, {})
    assert [cloud.kms.state(key.arn) for key in lost] == ["Enabled"]
    clock.advance(1)
    invoke(reconcile, {})
    assert [cloud.kms.state(key.arn) for key in lost] == ["PendingDeletion"]


def test_what_was_forgotten_is_swept_at_once(booted, origin, cloud, clock):
    """Behind the horizon a key has ended for certain: neither its age nor their number matters."""
    forgotten = [booted.kms.create() for _ in range(5)]
    clock.advance(1)
    young = booted.kms.create()

    def forget(keyset, _now):
        return replace(keyset, horizon=forgotten[0].created)

    booted.keysets.update(forget, origin)
    assert set(invoke(reconcile, {})["sweep_orphans"]) == {key.arn for key in forgotten}
    assert [cloud.kms.state(key.arn) for key in forgotten] == ["PendingDeletion"] * 5
    assert [cloud.kms.state(key.arn) for key in [young]] == ["Enabled"]


def test_one_bad_key_never_stops_the_others(booted, orphans, cloud, aws):
    """The sweep goes on, and the run says in the end which key it could not destroy."""
    aws.fail("kms:DisableKey", aws.error("AccessDeniedException"))
    with pytest.raises(RepairFailed, match=r"^sweep_orphans: .*AccessDeniedException"):
        invoke(reconcile, {})
    assert [cloud.kms.state(key.arn) for key in orphans].count("PendingDeletion") == 1


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
        ("RSA_2048", "SIGN_VERIFY"),
    ],
)
def test_a_foreign_key_with_our_tag_is_left_alone(booted, orphans, cloud, spec, usage):
    """Whoever put our tag on it: another team's key stays as it is, and the sweep goes on."""
    policy = default_policy()
    made = [cloud.kms.create_tagged("demo", policy, KeySpec=spec, KeyUsage=usage) for _ in range(5)]
    for _ in range(4):
        invoke(reconcile, {})
    assert [cloud.kms.state(key.arn) for key in orphans] == ["PendingDeletion"] * 5
    assert {cloud.kms.state(arn) for arn in made} == {"Enabled"}


def test_a_foreign_key_that_kms_does_not_tell_us_of_is_no_obstacle(booted, orphans, cloud, aws):
    """Its policy does not name us: KMS denies even to describe it, and the sweep goes on."""
    foreign = orphans[0]
    denied = aws.error("AccessDeniedException")

    def deny(**arguments):
        if arguments["KeyId"] == foreign.arn:
            raise denied
        return describe(**arguments)

    describe = booted.clients.kms.describe_key
    booted.clients.kms.describe_key = deny
    try:
        for _ in range(3):
            invoke(reconcile, {})
    finally:
        booted.clients.kms.describe_key = describe
    assert [cloud.kms.state(key.arn) for key in orphans] == ["Enabled"] + ["PendingDeletion"] * 4


def test_unregistered_keys_never_delay_a_signer_or_a_standby(booted, stack, cloud, clock):
    """However many there are."""
    kids = [key.kid for key in truth(cloud).keys]
    change(stack, revoke, kids, times=booted.times, limits=booted.limits)
    for _ in range(10):
        booted.kms.create()
    assert invoke(reconcile, {})["restore_active_key"] == active_key(truth(cloud)).kid
    clock.advance(HOUR / 2)
    assert invoke(reconcile, {})["restore_standby"] == standby_key(truth(cloud)).kid


def test_many_orphans_are_swept_faster_than_few(booted, clock, cloud):
    """A quarter a run: they never pile up, however fast they are made."""
    keys = [booted.kms.create() for _ in range(20)]
    clock.advance(2 * HOUR + 1)
    invoke(reconcile, {})
    assert [cloud.kms.state(key.arn) for key in keys].count("PendingDeletion") == 5


def test_a_key_in_the_jwks_is_no_orphan(booted, orphans, cloud):
    """However it came there, a verifier may trust it: the JWKS comes first, the key after it."""
    shown = orphans[0]
    version = cloud.s3.objects[JWKS][-1]
    document = json.loads(version.body)
    document["keys"].append(booted.kms.public_jwk(shown.arn).members())
    cloud.s3.put(JWKS, replace(version, body=json.dumps(document).encode()))
    assert shown.arn not in find_orphans(booted)
    assert len(find_orphans(booted)) > 0


def test_a_key_of_another_stack_is_no_orphan(booted, clock, cloud):
    """The tag names the stack."""
    other = cloud.kms.create_tagged("another", default_policy())
    clock.advance(48 * HOUR + 1)
    assert "sweep_orphans" not in invoke(reconcile, {})
    assert cloud.kms.state(other) == "Enabled"


@pytest.fixture
def generations(booted, origin, clock):
    """Write so many more generations, a minute apart, and show the last one."""

    def change(keyset, now):
        return replace(keyset, horizon=now.replace(microsecond=0))

    def generations(more: int):
        for _ in range(more):
            clock.advance(60)
            booted.keysets.update(change, origin)
        project(booted, origin)

    return generations


def test_old_generations_are_pruned(booted, generations, clock, cloud):
    """The highest and four older ones stay in SSM; the rest is in the history, text by text."""
    generations(8)
    stored = booted.keysets.read_texts()
    top = max(stored)
    clock.advance(HOUR + 1)
    assert invoke(reconcile, {})["prune_generations"] == list(range(1, top - 4))
    assert sorted(booted.keysets.read_texts()) == list(range(top - 4, top + 1))
    objects = cloud.snapshot()["objects"]
    for number, text in stored.items():
        name = f"history/{number:012d}-{document.digest(text)}.json"
        assert objects[name][0] == text.encode()


def test_young_generations_are_not_pruned(booted, generations, clock):
    """Over an hour old, strictly: a slow reader may still hold one."""
    generations(8)
    first = document.loads(booted.keysets.read_texts()[1])
    clock.wall = first.at + timedelta(hours=1)
    assert "prune_generations" not in invoke(reconcile, {})
    clock.advance(1)
    pruned = invoke(reconcile, {})["prune_generations"]
    assert 1 in pruned
    assert len(pruned) < 8


def test_five_generations_are_never_pruned(booted, generations, clock):
    """However old they are."""
    generations(4)
    top = max(booted.keysets.read_texts())
    for pruned in (list(range(1, top - 4)), None):
        clock.advance(1000 * HOUR)
        assert invoke(reconcile, {}).get("prune_generations") == pruned
    assert sorted(booted.keysets.read_texts()) == list(range(top - 4, top + 1))


def test_a_generation_that_is_not_in_the_history_stays(booted, generations, clock, aws):
    """Without the audit trail nothing is deleted, also not behind a gap in it."""
    generations(8)
    clock.advance(HOUR + 1)
    before = booted.keysets.read_texts()
    aws.fail("s3:PutObject", aws.error("AccessDenied", 403), nth=3, times=99)
    with pytest.raises(RepairFailed, match="record_generations: s3:PutObject"):
        invoke(reconcile, {})
    assert sorted(set(before) - set(booted.keysets.read_texts())) == [1, 2]


def test_too_many_generations_are_pruned_however_young(booted, generations, monkeypatch):
    """A burst of changes must not make every cold reader read dozens of pages."""
    monkeypatch.setattr(booted, "limits", replace(booted.limits, generation_count=8))
    generations(12)
    stored = sorted(booted.keysets.read_texts())
    assert invoke(reconcile, {})["prune_generations"] == stored[:-8]
    assert sorted(booted.keysets.read_texts()) == stored[-8:]


def test_an_overwritten_generation_is_put_back(booted, generations, cloud, clock):
    """Its text is that of the history again, and the pruning goes on."""
    generations(8)
    invoke(reconcile, {})
    newest, text = booted.keysets.read(), booted.keysets.read_texts()[3]
    name = "/keyturn/demo/keyset/000000000003"
    cloud.ssm.put(name, "{}", overwrite=True)
    assert invoke(reconcile, {})["restore_generations"] == [3]
    assert (booted.keysets.read(), booted.keysets.read_texts()[3]) == (newest, text)
    clock.advance(HOUR + 1)
    assert 4 in invoke(reconcile, {})["prune_generations"]


def test_a_history_that_cannot_be_listed_stops_no_other_repair(booted, stack, aws, cloud):
    """Both keys were revoked, and another signs all the same."""
    kids = [key.kid for key in truth(cloud).keys]
    change(stack, revoke, kids, times=booted.times, limits=booted.limits)
    aws.fail("s3:ListObjectsV2", aws.error("AccessDenied", 403), times=9)
    with pytest.raises(RepairFailed, match="restore_generations: s3:ListObjectsV2"):
        invoke(reconcile, {})
    assert active_key(truth(cloud)).kid not in kids


def test_a_listing_that_was_garbled_restores_nothing(booted, generations, monkeypatch, cloud):
    """Good generations would be deleted to make room for their own copies."""
    generations(8)
    invoke(reconcile, {})
    before, listing = cloud.snapshot()["parameters"], booted.keysets.list_parameters
    garbled = iter([[replace(one, text=one.text[:-9]) for one in listing()]])
    monkeypatch.setattr(booted.keysets, "list_parameters", lambda: next(garbled, None) or listing())
    removed = []
    monkeypatch.setattr(booted.keysets, "remove", lambda names: removed.extend(names))
    assert "restore_generations" not in invoke(reconcile, {})
    assert (removed, cloud.snapshot()["parameters"]) == ([], before)


def test_another_text_in_the_history_stops_nothing(booted, generations, clock, cloud):
    """Somebody wrote there first; what SSM held is kept beside it."""
    generations(8)
    booted.history.keep(3, '{"generation":3}')
    clock.advance(HOUR + 1)
    text = booted.keysets.read_texts()[3]
    invoke(reconcile, {})
    assert 3 not in booted.keysets.read_texts()
    assert text.encode() in [body for body, *_ in cloud.snapshot()["objects"].values()]


@pytest.mark.parametrize("name", ["000000000020", "999999999999", "3", "x"])
def test_what_does_not_count_is_told_kept_and_removed(booted, cloud, aws, name, printed):
    """Once, with its name and why."""
    cloud.ssm.put(f"/keyturn/demo/keyset/{name}", "{")
    assert invoke(reconcile, {})["remove_unlawful_generations"] == [name]
    [event] = [
        entry
        for call in aws.params("events:PutEvents")
        for entry in call["Entries"]
        if entry["DetailType"] == "UnlawfulGeneration"
    ]
    assert json.loads(event["Detail"])["parameter"] == name
    assert b"{" in [body for body, *_ in cloud.snapshot()["objects"].values()]
    assert sorted(booted.keysets.read_texts()) == [1, 2]
    assert "remove_unlawful_generations" not in invoke(reconcile, {})


def test_what_stands_in_the_way_is_stepped_over_and_pruned(booted, cloud, clock, aws):
    """Its name stays taken until the generations around it are old; it is told once."""
    keyset = booted.keysets.read().keyset
    cloud.ssm.put("/keyturn/demo/keyset/000000000003", "{")
    assert invoke(reconcile, {})["step_over_unlawful_generations"] == 4
    assert booted.keysets.read().keyset == keyset
    assert "remove_unlawful_generations" not in invoke(reconcile, {})
    clock.advance(HOUR + 1)
    assert invoke(reconcile, {})["prune_generations"] == [1, 2]
    assert sorted(booted.keysets.read_texts()) == [4]


def test_a_forged_text_is_never_left_as_the_oldest(booted, cloud, clock, generations):
    """Nothing is pruned up to a generation that is younger than what stands above it."""
    forged = replace(booted.keysets.read(), number=6, parent="", op_id="forged")
    name = "/keyturn/demo/keyset/000000000006"
    cloud.ssm.put(name, document.dumps(forged))
    generations(2)
    clock.advance(HOUR + 1)
    record_changes(booted)
    assert prune_generations(booted) == []
    invoke(reconcile, {})
    assert min(booted.keysets.read_texts()) > 6
    assert booted.keysets.read().op_id != "forged"
