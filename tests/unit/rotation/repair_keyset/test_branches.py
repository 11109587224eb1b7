"""A lost branch: a writer took the name of a deleted generation before reconcile restored it."""

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
from tests.unit.changes import revoke_keys
from tests.unit.rotation.repair_keyset.damage import (
    lose,
    lose_newest,
    revoke_active,
    revoke_standby,
)
from tests.unit.stage import (
    active_kid,
    client_cutoff,
    invoke,
    truth,
)


@pytest.fixture
def branch(booted, cloud):
    """The active key's revocation was recorded and deleted, and its name taken; returns the kid."""
    kid = revoke_active(booted, cloud)
    lose_newest(booted, cloud)
    revoke_standby(booted, cloud)
    assert active_kid(cloud) == kid
    return kid


def test_reconcile_revokes_again_what_a_lost_branch_revoked(branch, booted, cloud):
    """Above the number of the lost generation, so that readers who hold it follow."""
    lost = booted.keysets.read().number
    assert invoke(reconcile, {})["join_branches"] > lost
    assert truth(cloud).get(branch).state is State.REVOKED


def test_a_joined_branch_is_not_joined_again(branch):
    """The next run finds nothing to do."""
    invoke(reconcile, {})
    assert "join_branches" not in invoke(reconcile, {})


@pytest.mark.parametrize("parent", ["", "x" * 43])
def test_a_generation_without_a_parent_is_no_branch(booted, cloud, clock, parent):
    """An attacker who may write into the history cannot revoke a key without a parent of ours."""
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


def test_the_cut_offs_of_a_lost_branch_come_back(booted, cloud, origin):
    """They come back even if the faster writer has written more generations than the lost branch."""
    blocked(booted, origin, is_blocked=True)
    lose_newest(booted, cloud)
    for _ in range(2):
        revoke_active(booted, cloud)
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
    """Two branches from one generation do not contain each other's cut-offs."""
    clients = []
    for name in ("orders", "billing"):
        clients.append(cut_off(name))
        lose_newest(booted, cloud)
    cut_off("another")
    invoke(reconcile, {})
    assert {one.digest for one in truth(cloud).cutoffs} == {*clients, digest_of("another")}


def test_a_client_that_was_released_after_the_join_stays_released(booted, cut_off, origin, cloud):
    """A branch is joined once, whatever else is joined later."""
    client = cut_off("orders", until=None)
    lose_newest(booted, cloud)
    revoke_active(booted, cloud)
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


def test_a_branch_from_below_the_oldest_generation_is_joined(branch, booted, cloud, origin):
    """Deleting the generation that it branched from hides nothing."""
    blocked(booted, origin, is_blocked=True)
    record_changes(booted)
    lose(cloud, *(one.number for one in booted.keysets.read_generations()[:-1]))
    assert len(booted.keysets.read_generations()) == 1
    invoke(reconcile, {})
    assert truth(cloud).get(branch).state is State.REVOKED


def test_a_generation_that_can_be_restored_is_no_branch(booted, cloud, origin):
    """Its name is free, so nothing is written above it."""
    for kid in [key.kid for key in truth(cloud).keys]:
        revoke_keys(booted, kid)
    lose_newest(booted, cloud)
    before = booted.keysets.read_texts()
    assert repair_keyset.join_branches(booted, origin) is None
    assert booted.keysets.read_texts() == before
