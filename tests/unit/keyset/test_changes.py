"""The changes between two keysets, key by key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset.changes import Change, ChangeKind, changes
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNPUBLISHED = Key("s", "arn-s", State.STANDBY, 60, NOW)
STANDBY = replace(UNPUBLISHED, published=NOW)
ACTIVE = replace(STANDBY, kid="a", kms_key_arn="arn-a", state=State.ACTIVE, activated=NOW)
GRACE = replace(ACTIVE, state=State.GRACE, superseded=NOW, verify_until=NOW + timedelta(seconds=60))


def ended(key: Key, state: State) -> EndedKey:
    """The same key after its end."""
    return EndedKey(key.kid, key.kms_key_arn, state, key.created, NOW)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Keyset(), Keyset((UNPUBLISHED,)), [(ChangeKind.CREATED, "s")]),
        (Keyset((UNPUBLISHED,)), Keyset((STANDBY,)), [(ChangeKind.PUBLISHED, "s")]),
        (
            Keyset((ACTIVE, STANDBY)),
            Keyset((GRACE, replace(STANDBY, state=State.ACTIVE))),
            [(ChangeKind.SUPERSEDED, "a"), (ChangeKind.ACTIVATED, "s")],
        ),
        (Keyset((GRACE,)), Keyset((replace(GRACE, state=State.ACTIVE),)), [(ChangeKind.ACTIVATED, "a")]),
        (Keyset((GRACE,)), Keyset((), (ended(GRACE, State.RETIRED),)), [(ChangeKind.RETIRED, "a")]),
        (Keyset((ACTIVE,)), Keyset((), (ended(ACTIVE, State.REVOKED),)), [(ChangeKind.REVOKED, "a")]),
        (Keyset(), Keyset((STANDBY,)), [(ChangeKind.CREATED, "s"), (ChangeKind.PUBLISHED, "s")]),
        (Keyset((ACTIVE,)), Keyset((ACTIVE,)), []),
        (Keyset((), (ended(ACTIVE, State.REVOKED),)), Keyset(), []),
    ],
    ids=["created", "published", "rotated", "rolled back", "retired", "revoked", "both at once",
         "nothing", "forgotten"],
)  # fmt: skip
def test_changes_of_keys(before, after, expected):
    """They are listed in the order of the keyset; a forgotten key is not a change."""
    assert changes(before, after) == tuple(Change(*change) for change in expected)
