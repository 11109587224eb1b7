"""A revocation is never refused for want of room: what is only remembered gives way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset import document
from keyturn.keyset.errors import DocumentTooLarge
from keyturn.keyset.model import EndedKey, Generation, Keyset
from keyturn.keyset.states import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ended(number: int, ago: int) -> EndedKey:
    """A key that ended so many minutes ago."""
    arn = f"arn:aws:kms:eu-west-1:123456789012:key/{number:036}"
    return EndedKey(f"{number:043}", arn, State.REVOKED, NOW - timedelta(minutes=ago))


def generation(*keys: EndedKey, text: str = "leaked") -> Generation:
    """A generation written now."""
    return Generation(7, "op-1", text, text, NOW, Keyset((), keys))


def test_what_fits_is_left_alone():
    """Not a letter is cut."""
    whole = generation(ended(1, 60), text="t" * 256)
    assert document.with_room(whole) == whole


def test_texts_are_cut_before_a_key_is_forgotten():
    """Who and why can be read in the execution as well."""
    keys = [ended(n, 60) for n in range(30)]
    fitting = document.with_room(generation(*keys, text="t" * 256))
    with pytest.raises(DocumentTooLarge):
        document.dumps(generation(*keys, text="t" * 256))
    assert document.dumps(fitting)
    assert 0 < len(fitting.reason) < 256
    assert len(fitting.started_by) == len(fitting.reason)


def test_the_longest_ended_are_forgotten_and_no_more_than_need_be():
    """One more, and it would not fit."""
    keys = [ended(n, ago=n) for n in range(1, 61)]
    fitting = document.with_room(generation(*keys))
    kept = fitting.keyset.ended
    assert document.dumps(fitting)
    assert kept == tuple(keys[: len(kept)])
    more = replace(fitting, keyset=Keyset((), tuple(keys[: len(kept) + 1])))
    with pytest.raises(DocumentTooLarge):
        document.dumps(more)


def test_those_that_this_change_ended_are_kept():
    """Forgetting them would undo the revocation; it is then for `dumps` to refuse."""
    keys = [ended(n, ago=0) for n in range(60)]
    fitting = document.with_room(generation(*keys))
    assert fitting.keyset.ended == tuple(keys)
    with pytest.raises(DocumentTooLarge):
        document.dumps(fitting)
