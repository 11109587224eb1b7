"""Reconcile joins a branch by itself: a writer took the name of a generation before it was put back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.keyset import document
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of, merge
from keyturn.keyset.states import State
from keyturn.keyset.token_revocation import release
from keyturn.keyset.transitions import revoke
from keyturn.rotation import reconcile, repair_keyset
from keyturn.rotation.record_changes import record_changes
from tests.unit.rotation.repair_keyset.damage import lose, revoked
from tests.unit.stage import (
    active_kid,
    client_cutoff,
    invoke,
    standby_kid,
    truth,
)


@pytest.fixture
def branch(booted, cloud, stack):
    """The active key's revocation was recorded, deleted, and its name taken; returns the revoked kid."""
    kid = revoked(booted, stack, active_kid(cloud))
    record_changes(booted)
    lose(cloud, booted.keysets.read().number)
    revoked(booted, stack, standby_kid(cloud))
    assert active_kid(cloud) == kid
    return kid


def test_reconcile_revokes_again_what_a_lost_branch_had_revoked(branch, booted, cloud):
    """Above the number of the lost generation, so that readers who hold it follow."""
    lost = booted.keysets.read().number
    assert invoke(reconcile, {})["join_branches"] > lost
    assert truth(cloud).get(branch).state is State.REVOKED


def test_a_joined_branch_is_not_joined_again(branch):
    """The next run finds nothing to do."""
    invoke(reconcile, {})
    assert "join_branches" not in invoke(reconcile, {})


@pytest.mark.parametrize("parent", ["", "x" * 43])
def test_what_never_followed_is_no_branch(booted, cloud, clock, parent):
    """Whoever may write objects into the history revokes no key by one that names no parent of ours."""
    record_changes(booted)
    head, active = booted.keysets.read(), active_kid(cloud)
    ended = revoke(head.keyset, [active], clock.now(), times=booted.times, limits=booted.limits)
    forged = replace(head, number=head.number + 2, keyset=ended, parent=parent)
    booted.history.keep(forged.number, document.dumps(forged))
    assert "join_branches" not in invoke(reconcile, {})
    assert active_kid(cloud) == active


def blocked(booted, origin, *, is_blocked):
    """Write a keyset in which a client is blocked, or is not."""
    cutoffs = (CutOff(Claim.CLIENT, digest_of("orders"), booted.clock.now()),)
    booted.keysets.update(
        lambda keyset, _now: replace(keyset, cutoffs=cutoffs if is_blocked else ()), origin
    )


def test_what_a_lost_branch_had_cut_off_is_cut_off_again(booted, cloud, stack, origin):
    """Also where the writer that was faster has gone on further than the lost branch."""
    blocked(booted, origin, is_blocked=True)
    record_changes(booted)
    lose(cloud, booted.keysets.read().number)
    for _ in range(2):
        revoked(booted, stack, active_kid(cloud))
    assert not truth(cloud).cutoffs
    invoke(reconcile, {})
    assert [one.digest for one in truth(cloud).cutoffs] == [digest_of("orders")]


@pytest.fixture
def cut_off(booted, origin):
    """Cut off a client, or block it; returns the digest."""

    def cut_off(client, *, until=timedelta(hours=1)):
        now = booted.clock.now().replace(microsecond=0)
        cutoff = CutOff(Claim.CLIENT, digest_of(client), now, until and now + until)
        booted.keysets.update(
            lambda keyset, _now: replace(keyset, cutoffs=merge(keyset.cutoffs, [cutoff])), origin
        )
        return cutoff.digest

    return cut_off


def test_the_cut_offs_of_every_lost_branch_come_back(booted, cut_off, cloud):
    """Two branches off one generation, of which neither knows the other's."""
    clients = []
    for name in ("orders", "billing"):
        clients.append(cut_off(name))
        record_changes(booted)
        lose(cloud, booted.keysets.read().number)
    cut_off("another")
    invoke(reconcile, {})
    assert {one.digest for one in truth(cloud).cutoffs} == {*clients, digest_of("another")}


def test_what_was_released_since_its_branch_was_joined_stays_so(
    booted, cut_off, origin, cloud, stack
):
    """A branch is joined once, whatever else is joined later."""
    client = cut_off("orders", until=None)
    record_changes(booted)
    lose(cloud, booted.keysets.read().number)
    revoked(booted, stack, active_kid(cloud))
    invoke(reconcile, {})
    assert client_cutoff(truth(cloud), client).is_block
    booted.keysets.update(
        lambda keyset, now: release(
            keyset, [client], before=now.replace(microsecond=0), times=booted.times
        ),
        origin,
    )
    invoke(reconcile, {})
    assert not client_cutoff(truth(cloud), client).is_block


def test_a_branch_that_left_below_the_oldest_generation_is_joined(branch, booted, cloud, origin):
    """Whoever deletes the generation that it left as well hides nothing."""
    blocked(booted, origin, is_blocked=True)
    record_changes(booted)
    lose(cloud, *(one.number for one in booted.keysets.read_generations()[:-1]))
    assert len(booted.keysets.read_generations()) == 1
    invoke(reconcile, {})
    assert truth(cloud).get(branch).state is State.REVOKED


def test_what_can_come_back_as_it_was_is_no_branch(booted, cloud, stack, origin):
    """Its name is free: nothing is written above it, which would take it."""
    for kid in [key.kid for key in truth(cloud).keys]:
        revoked(booted, stack, kid)
        record_changes(booted)
    lose(cloud, booted.keysets.read().number)
    before = booted.keysets.read_texts()
    assert repair_keyset.join_branches(booted, origin) is None
    assert booted.keysets.read_texts() == before
