"""What fits a document: counted at its largest, so that no write ever finds it full."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from keyturn.keyset import capacity, document
from keyturn.keyset.capacity import CutOffsFull
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits
from keyturn.keyset.token_revocation import cut_off
from keyturn.keyset.transitions import activate, register, revoke

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)
CLAIMS = tuple(Claim)


def arn(number: int) -> str:
    """A KMS key ARN as long as real ones are."""
    return f"arn:aws:kms:ap-southeast-1:123456789012:key/{UUID(int=2**127 + number)}"


def live(number: int, state: State) -> Key:
    """A live key that has all the instants its state can have."""
    names = {
        State.STANDBY: ("published",),
        State.ACTIVE: ("published", "activated"),
        State.GRACE: ("published", "activated", "superseded", "verify_until"),
    }
    return Key(
        f"{number:043}", arn(number), state, 86_400, NOW, **dict.fromkeys(names[state], LATER)
    )


def keys(number: int) -> tuple[Key, ...]:
    """A standby, an active key and grace keys."""
    states = (State.ACTIVE, State.STANDBY, *[State.GRACE] * 8)
    return tuple(live(index, state) for index, state in enumerate(states[:number]))


def ended(number: int) -> tuple[EndedKey, ...]:
    """Revoked keys."""
    return tuple(
        EndedKey(f"{100 + index:043}", arn(100 + index), State.REVOKED, NOW, LATER)
        for index in range(number)
    )


def cutoffs(number: int) -> tuple[CutOff, ...]:
    """Cut-offs of all three claims."""
    until = LATER + timedelta(seconds=86_400 + 960)
    return tuple(
        CutOff(CLAIMS[index % 3], digest_of(str(index)), LATER, until) for index in range(number)
    )


def size(keyset: Keyset) -> int:
    """Of its document, with texts as long as they may be; raises DocumentTooLarge."""
    op_id = "0f2d1c3b-4a59-4687-9b7a-6c5d4e3f2a1b"
    generation = Generation(
        999_999_999_999, op_id, "s" * 300, "r" * 300, NOW, replace(keyset, horizon=NOW), "p" * 43
    )
    return len(document.dumps(generation).encode())


@pytest.mark.parametrize("number", [0, 1, 2, 3, 10, 30, 50, 59])
def test_as_many_keys_as_it_says_fit_beside_the_cutoffs(limits, number):
    """And so do the ended keys that it then lists."""
    cut = Keyset(cutoffs=cutoffs(number))
    most = replace(cut, keys=keys(capacity.live_keys(cut, limits)))
    full = replace(most, ended=ended(capacity.ended_keys(most, limits)))
    assert size(full) <= limits.document_bytes


def test_fifty_cutoffs_fit_beside_the_keys_of_a_rotation(limits):
    """Active, standby and two in grace: what DESIGN asks for, with room to spare."""
    full = Keyset(keys(capacity.MIN_LIVE_KEYS), cutoffs=cutoffs(50))
    assert capacity.live_keys(full, limits) >= capacity.MIN_LIVE_KEYS
    assert size(full) <= limits.document_bytes


def test_what_does_not_fit_is_refused_with_what_to_do(times, limits):
    """Nothing is dropped to make room; the message says how many still fit."""
    keyset = Keyset(keys(4), cutoffs=cutoffs(58))
    requested = [(Claim.CLIENT, digest_of(name)) for name in ("a", "b")]
    with pytest.raises(CutOffsFull, match=r"2 more .* room for 1: revoke .*--all.*block.*shorten"):
        cut_off(keyset, requested, NOW, before=LATER, times=times, limits=limits)
    assert (
        len(cut_off(keyset, requested[:1], NOW, before=LATER, times=times, limits=limits).cutoffs)
        == 59
    )


def test_a_value_that_is_cut_off_already_takes_no_room(times, limits):
    """The same client can always be cut off again."""
    keyset = Keyset(keys(4), cutoffs=cutoffs(59))
    again = [(keyset.cutoffs[0].claim, keyset.cutoffs[0].digest)]
    assert (
        len(cut_off(keyset, again, LATER, before=LATER, times=times, limits=limits).cutoffs) == 59
    )


@pytest.mark.parametrize("live_number", [4, 6, 10])
def test_a_revocation_and_its_new_standby_always_find_room(times, limits, live_number):
    """However many cut-offs were let in, the active key can be revoked and a standby registered."""
    keyset = Keyset(keys(live_number))
    for number in range(100):
        try:
            keyset = cut_off(
                keyset,
                [(CLAIMS[number % 3], digest_of(str(number)))],
                NOW,
                before=LATER,
                times=times,
                limits=limits,
            )
        except CutOffsFull:
            break
    for number in range(30):
        active = keyset.active
        assert active is not None
        keyset = revoke(keyset, [active.kid], NOW, times=times, limits=limits)
        keyset = register(
            keyset,
            f"{200 + number:043}",
            arn(200 + number),
            NOW,
            created=NOW + timedelta(seconds=number),
            lifetime=86_400,
            limits=limits,
        )
        assert size(keyset) <= limits.document_bytes
        assert keyset.active and keyset.standby


def test_a_rotation_waits_for_the_room_of_its_successor(times, limits):
    """With the document full of cut-offs, a standby takes over once a grace key may retire."""
    keyset = Keyset(keys(4), cutoffs=cutoffs(59))
    standby = keyset.standby
    assert standby is not None
    now = LATER + timedelta(days=2)
    rotated = activate(
        keyset, standby.kid, now, supersede=keys(1)[0].kid, times=times, limits=limits
    )
    assert len(rotated.grace) == 1
    registered = register(
        rotated, "n" * 43, arn(9), now, created=now, lifetime=86_400, limits=Limits()
    )
    assert size(registered) <= limits.document_bytes
