"""RepairKeyset: which case it is, what is restored under which number, and that nothing comes back."""

import json
from dataclasses import replace

import pytest

from keyturn.aws.faults import Conflict
from keyturn.aws.keyset_reader import AHEAD
from keyturn.aws.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.states import State
from keyturn.keyset.transitions import revoke
from keyturn.rotation import repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition, JwksNotOurs, NothingToRestore
from tests.unit.conftest import BUCKET

SPOILT = {
    "not JSON": lambda text: "{",
    "an unknown member": lambda text: text.replace('"reason"', '"raisin"'),
    "another number": lambda text: text.replace('"generation":', '"generation":1'),
    "an older schema": lambda text: text.replace('"schema":1', '"schema":0'),
}


@pytest.fixture
def name():
    """A generation's parameter."""
    return lambda number: f"/keyturn/demo/keyset/{number:012d}"


@pytest.fixture
def put(backdoor, name):
    """Write a generation as somebody with the permission could."""

    def put(number, text):
        backdoor.ssm.put_parameter(Name=name(number), Value=text, Type="String", Overwrite=True)

    return put


@pytest.fixture
def lose(backdoor, name):
    """Delete generations as somebody with the permission could."""
    return lambda *numbers: backdoor.ssm.delete_parameters(Names=[name(n) for n in numbers])


@pytest.fixture
def repaired(booted, origin):
    """Diagnose and repair, to the JWKS; returns the diagnosis, and insists that all is sound."""

    def repaired():
        diagnosis = repair_keyset.diagnose(booted)
        repair_keyset.repair(booted, diagnosis, origin)
        if diagnosis.number:
            repair_keyset.revoke_what_ended_meanwhile(booted, origin)
        project(booted, origin)
        assert repair_keyset.diagnose(booted).condition is Condition.SOUND
        booted.keysets.generations()
        return diagnosis

    return repaired


@pytest.fixture
def revoked(booted, change):
    """Revoke a live key; returns its kid."""

    def revoked(kid):
        change(revoke, [kid], times=booted.times, ages=booted.ages)
        return kid

    return revoked


def test_a_sound_keyset_needs_no_repair(booted, world):
    """Diagnosing it writes nothing."""
    before = world()
    diagnosis = repair_keyset.diagnose(booted)
    assert (diagnosis.condition, diagnosis.number, diagnosis.removals) == (
        Condition.SOUND,
        None,
        [],
    )
    assert world() == before


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_an_unreadable_newest_generation_gives_way(booted, put, repaired, world, truth, spoil):
    """The last readable keyset counts again above it; its text is kept, and the number is gone."""
    good = booted.keysets.read()
    text = spoil(document.dumps(good))
    put(3, text)
    diagnosis = repaired()
    assert (diagnosis.condition, diagnosis.source, diagnosis.number) == (
        Condition.UNREADABLE,
        good,
        4,
    )
    assert truth() == good.keyset
    generation = booted.keysets.read()
    assert (generation.number, generation.reason) == (4, "unreadable")
    assert sorted(booted.keysets.stored()) == [1, 2, 4]
    [kept] = [body for key, (body, *_) in world()["objects"].items() if "unreadable" in key]
    assert kept.decode() == text


def test_what_was_overwritten_comes_from_the_history(booted, put, repaired, truth, revoked):
    """Where the history holds the very generation that is spoilt, nothing is lost."""
    kid = revoked(truth().standby.kid)
    record_changes(booted)
    good = booted.keysets.read()
    put(good.number, "{")
    diagnosis = repaired()
    assert (diagnosis.source, diagnosis.number) == (good, good.number + 1)
    assert truth().find(kid).state is State.REVOKED


def test_a_warm_reader_follows_the_repair(booted, put, repaired, container):
    """It held the number that was spoilt afterwards, so that number is never used again."""
    warm = container()
    held = warm.view.current()
    put(held.number, "{")
    repaired()
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.current().number == booted.keysets.read().number > held.number


def test_a_far_generation_leaves_no_gap(booted, put, repaired, container):
    """A warm reader looks ten numbers ahead: what is restored comes within its reach."""
    warm = container()
    held = warm.view.current()
    put(999_999_999_999, "{")
    diagnosis = repaired()
    assert (diagnosis.number, diagnosis.removals) == (held.number + 1, [999_999_999_999])
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.current().number == held.number + 1


def test_an_unreadable_generation_below_is_only_taken_away(booted, put, repaired, truth):
    """The newest counts already; nothing is appended."""
    before = truth()
    put(1, "{")
    diagnosis = repaired()
    assert (diagnosis.condition, diagnosis.number, diagnosis.removals) == (
        Condition.UNREADABLE,
        None,
        [1],
    )
    assert truth() == before
    assert sorted(booted.keysets.stored()) == [2]


@pytest.mark.parametrize("number", [2, 3, 1])
def test_a_newer_release_is_left_alone(booted, put, world, number):
    """Wherever it stands: that release can read it, and this one must not decide."""
    text = document.dumps(booted.keysets.read()).replace('"schema":1', '"schema":2')
    put(number, text)
    before = world()
    assert repair_keyset.diagnose(booted).condition is Condition.NEWER_RELEASE
    assert world() == before


@pytest.mark.parametrize("lost", [(2,), (1, 2)], ids=["the newest", "all"])
def test_deleted_generations_come_back_from_the_history(booted, lose, repaired, truth, lost):
    """As a new generation above everything that was seen."""
    record_changes(booted)
    good = booted.keysets.read()
    lose(*lost)
    diagnosis = repaired()
    assert (diagnosis.condition, diagnosis.source, diagnosis.number) == (
        Condition.DELETED,
        good,
        3,
    )
    assert truth() == good.keyset
    assert booted.keysets.read().reason == "deleted"


def test_nothing_that_ended_comes_back_from_the_history(booted, revoked, repaired, truth):
    """A key that was revoked in what SSM holds is revoked in what is restored; the standby signs."""
    good = booted.keysets.read()
    active, standby = good.keyset.active.kid, good.keyset.standby.kid
    booted.history.keep(9, document.dumps(replace(good, number=9)))
    revoked(active)
    diagnosis = repaired()
    assert (diagnosis.source.number, diagnosis.number) == (9, 10)
    assert diagnosis.revocations == (active,)
    assert truth().find(active).state is State.REVOKED
    assert truth().active.kid == standby


def test_what_is_far_below_goes_so_that_warm_readers_look_up(booted, container, repaired, world):
    """A reader that holds it would ask for the nine numbers above it, and see nothing new."""
    good = booted.keysets.read()
    warm = container()
    assert warm.view.current() == good
    booted.history.keep(1 + AHEAD, document.dumps(replace(good, number=1 + AHEAD)))
    diagnosis = repaired()
    assert diagnosis.removals == [1, 2]
    assert {"history/000000000001.json", "history/000000000002.json"} <= world()["objects"].keys()
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.current().number == 2 + AHEAD


def test_what_the_jwks_no_longer_shows_has_ended(booted, backdoor, repaired, truth):
    """Where only the JWKS knows of a later generation: it shows exactly the live keys."""
    active, standby = truth().active, truth().standby
    show(backdoor, 7, [standby.kid])
    diagnosis = repaired()
    assert (diagnosis.condition, diagnosis.number) == (Condition.DELETED, 8)
    assert diagnosis.revocations == (active.kid,)
    assert truth().active.kid == standby.kid


@pytest.mark.parametrize(("number", "shown"), [(7, False), (999_999_999_999, True)])
def test_a_jwks_that_is_not_ours_decides_nothing(booted, backdoor, truth, number, shown):
    """None of the keys in it, or a number that no generation could follow."""
    show(backdoor, number, [key.kid for key in truth().keys] if shown else [])
    with pytest.raises(JwksNotOurs, match=f"generation {number}"):
        repair_keyset.diagnose(booted)


def test_where_nothing_can_be_read_nothing_is_restored(stack, put):
    """And nothing is invented."""
    with pytest.raises(NothingToRestore):
        repair_keyset.diagnose(stack)
    put(1, "{")
    stack.history.keep(1, "{}")
    with pytest.raises(NothingToRestore):
        repair_keyset.diagnose(stack)


def test_an_unreadable_object_in_the_history_is_passed_over(booted, lose, backdoor, repaired):
    """The newest that can be read is restored, above the number of the other."""
    record_changes(booted)
    backdoor.s3.put_object(Bucket=BUCKET, Key="history/000000000003.json", Body=b"\xff")
    lose(2)
    diagnosis = repaired()
    assert (diagnosis.source.number, diagnosis.number) == (2, 4)


def test_a_revocation_that_was_under_way_stays(booted, lose, put, origin, truth):
    """Its writer saw the keyset before the repair, and it was acknowledged."""
    record_changes(booted)
    good = booted.keysets.read()
    kid = good.keyset.standby.kid
    lose(2)
    repair_keyset.repair(booted, repair_keyset.diagnose(booted), origin)
    times, ages = booted.times, booted.ages
    late = revoke(good.keyset, [kid], booted.clock.now(), times=times, ages=ages)
    put(2, document.dumps(replace(good, keyset=late)))
    before = sum(booted.clock.slept)
    repair_keyset.revoke_what_ended_meanwhile(booted, origin)
    assert sum(booted.clock.slept) - before >= times.write_delay
    assert truth().find(kid).state is State.REVOKED


def test_a_number_that_is_taken_meanwhile_stops_the_repair(booted, put, origin):
    """Nothing is deleted; the next diagnosis starts from what stands then."""
    text = document.dumps(booted.keysets.read())
    put(3, "{")
    diagnosis = repair_keyset.diagnose(booted)
    put(4, text.replace('"generation":2', '"generation":4'))
    with pytest.raises(Conflict):
        repair_keyset.repair(booted, diagnosis, origin)
    assert sorted(booted.keysets.stored()) == [1, 2, 3, 4]


def test_a_lost_reply_is_no_conflict(booted, put, origin, aws):
    """The generation is read back: it is ours."""
    put(3, "{")
    diagnosis = repair_keyset.diagnose(booted)
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    assert repair_keyset.repair(booted, diagnosis, origin).generation.number == 4
    assert sorted(booted.keysets.stored()) == [1, 2, 4]


def test_nothing_is_deleted_before_its_successor_counts(booted, put, origin, aws):
    """The text is kept first, then the keyset restored, then the parameter deleted."""
    put(3, "{")
    diagnosis = repair_keyset.diagnose(booted)
    aws.reset()
    repair_keyset.repair(booted, diagnosis, origin)
    assert aws.operations == ["s3:PutObject", "ssm:PutParameter", "ssm:DeleteParameters"]


def test_a_listing_from_the_past_is_no_deletion(booted, monkeypatch):
    """SSM promises no consistent reads: what seems deleted is looked at again."""
    stored, lags = booted.keysets.stored, iter([True])
    past = {1: stored()[1]}
    monkeypatch.setattr(booted.keysets, "stored", lambda: past if next(lags, False) else stored())
    before = sum(booted.clock.slept)
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND
    assert sum(booted.clock.slept) - before >= 2


def test_who_repairs_is_cut_short_for_want_of_room(booted, put, origin):
    """A repair is never refused because of a long name."""
    put(3, "{")
    long = replace(origin, started_by="x" * 4000)
    repair_keyset.repair(booted, repair_keyset.diagnose(booted), long)
    assert booted.keysets.read().started_by == "x" * 60


def show(backdoor, number, kids):
    """Write the JWKS with this number and only these of its keys, as somebody could."""
    standing = json.loads(backdoor.s3.get_object(Bucket=BUCKET, Key=JWKS)["Body"].read())
    keys = [key for key in standing["keys"] if key["kid"] in kids]
    backdoor.s3.put_object(
        Bucket=BUCKET,
        Key=JWKS,
        Body=json.dumps({"keys": keys, "generation": number}).encode(),
        Metadata={"keyturn-generation": str(number)},
    )
