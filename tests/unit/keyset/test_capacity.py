"""How many keys and cut-offs a document holds, so that no write ever finds it full."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.keyset import capacity, document
from keyturn.keyset.capacity import CutOffsFull
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.model import Generation, Keyset
from keyturn.keyset.token_revocation import cut_off
from tests.periods import DEFAULTS
from tests.unit.keyset.full_size import LIVE, NOW, OP_ID, arn, ended
from tests.unit.keyset.steps import LIMITS, activate, register, revoke
from tests.unit.stage import active_key

LATER = NOW + timedelta(hours=3)
CLAIMS = tuple(Claim)


def cutoffs(number: int) -> tuple[CutOff, ...]:
    """Cut-offs of all three claims."""
    until = LATER + timedelta(seconds=86_400 + 960)
    return tuple(
        CutOff(CLAIMS[index % 3], digest_of(str(index)), LATER, until) for index in range(number)
    )


def size(keyset: Keyset) -> int:
    """The bytes of its document, with texts as long as they may be; raises DocumentTooLarge."""
    generation = Generation(
        999_999_999_999, OP_ID, "s" * 300, "r" * 300, NOW, replace(keyset, horizon=NOW), "p" * 43
    )
    return len(document.dumps(generation).encode())


def cut(keyset: Keyset, *requested: tuple[Claim, str]) -> Keyset:
    """Cut off these values, given as digests."""
    return cut_off(keyset, requested, NOW, before=LATER, times=DEFAULTS, limits=LIMITS)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 10, 30, 50, 59])
def test_as_many_keys_as_it_says_fit_beside_the_cutoffs(number):
    """So do the ended keys that are then listed."""
    cut = Keyset(cutoffs=cutoffs(number))
    most = replace(cut, keys=LIVE[: capacity.live_keys(cut, LIMITS)])
    ended_keys = map(ended, range(100, 100 + capacity.ended_keys(most, LIMITS)))
    assert size(replace(most, ended=tuple(ended_keys))) <= LIMITS.document_bytes


def test_fifty_cutoffs_fit_beside_the_keys_of_a_rotation():
    """The keys are an active one, a standby and two in grace."""
    full = Keyset(LIVE[: capacity.MIN_LIVE_KEYS], cutoffs=cutoffs(50))
    assert capacity.live_keys(full, LIMITS) >= capacity.MIN_LIVE_KEYS
    assert size(full) <= LIMITS.document_bytes


def test_a_cutoff_that_does_not_fit_is_refused_with_a_remedy():
    """Nothing is dropped to make room; the message says how many still fit."""
    keyset = Keyset(LIVE[:4], cutoffs=cutoffs(58))
    requested = [(Claim.CLIENT, digest_of(name)) for name in ("a", "b")]
    with pytest.raises(CutOffsFull, match=r"2 more .* room for 1: revoke .*--all.*block.*shorten"):
        cut(keyset, *requested)
    assert len(cut(keyset, requested[0]).cutoffs) == 59


def test_a_second_cutoff_of_a_value_takes_no_room():
    """The same client can always be cut off again."""
    keyset = Keyset(LIVE[:4], cutoffs=cutoffs(59))
    first = keyset.cutoffs[0]
    assert len(cut(keyset, (first.claim, first.digest)).cutoffs) == 59


@pytest.mark.parametrize("live_number", [4, 6, 10])
def test_a_revocation_and_its_new_standby_always_find_room(live_number):
    """However many cut-offs fitted, the active key can be revoked and a standby registered."""
    keyset = Keyset(LIVE[:live_number])
    with pytest.raises(CutOffsFull):
        for number in range(100):
            keyset = cut(keyset, (CLAIMS[number % 3], digest_of(str(number))))
    for number in range(200, 230):
        keyset = revoke(keyset, [active_key(keyset).kid], NOW)
        keyset = register(
            keyset,
            f"{number:043}",
            NOW,
            kms_key_arn=arn(number),
            created=NOW + timedelta(seconds=number),
            lifetime=86_400,
        )
        assert size(keyset) <= LIMITS.document_bytes
        assert keyset.active and keyset.standby


def test_a_rotation_waits_for_the_room_of_its_successor():
    """With the document full of cut-offs, a standby takes over once a grace key may retire."""
    keyset = Keyset(LIVE[:4], cutoffs=cutoffs(59))
    now = LATER + timedelta(days=2)
    rotated = activate(keyset, LIVE[1].kid, now, supersede=LIVE[0].kid)
    assert len(rotated.grace) == 1
    registered = register(rotated, "n" * 43, now, kms_key_arn=arn(9), lifetime=86_400)
    assert size(registered) <= LIMITS.document_bytes
