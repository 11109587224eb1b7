"""The stored document: exact, small, and refused unless this release understands all of it."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from uuid import UUID

import pytest

from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid, DocumentTooLarge, NewerSchema
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from tests.unit.keyset.full_size import LIVE, NOW, OP_ID, arn, ended, live
from tests.unit.keyset.steps import LIMITS

RUN = "arn:aws:states:eu-west-1:123456789012:execution:keyturn-production-Rotation-4fKq0ZrXw1Lp"
DELETE = object()


def generation(keys: tuple[Key, ...], ended: tuple[EndedKey, ...] = ()) -> Generation:
    """A generation with as long a history as a real one."""
    return Generation(
        number=999_999_999_999,
        op_id=OP_ID,
        started_by=f"{RUN}:6f9d3f2e-1a2b-4c3d-8e4f-5a6b7c8d9e0f_1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809",
        reason="active_key_due",
        at=NOW,
        keyset=Keyset(keys, ended),
    )


SMALL = generation(
    (live(1, State.ACTIVE), live(2, State.STANDBY), live(3, State.GRACE)),
    (ended(4, State.RETIRED), ended(5)),
)


def edited(path: str, value: object) -> str:
    """SMALL's document with the member at `path` replaced, added or deleted."""
    raw = json.loads(document.dumps(SMALL))
    *parents, last = path.split(".")
    target = raw
    for part in parents:
        target = target[int(part) if part.isdigit() else part]
    if value is DELETE:
        del target[last]
    else:
        target[last] = value
    return json.dumps(raw)


STORED = {
    "ten live": generation(LIVE),
    "with ended": SMALL,
    "with a horizon": replace(SMALL, keyset=replace(SMALL.keyset, horizon=NOW)),
    "empty": generation(()),
    "just registered": generation((Key("k" * 43, arn(1), State.STANDBY, 1, NOW),)),
    "two Regions": generation((live(1, State.ACTIVE), live(2, State.STANDBY, "eu-central-1"))),
    "first": replace(SMALL, number=1),
    "odd texts": replace(SMALL, started_by='Zoë \N{KEY} via "CLI"\n', reason=""),
}


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_a_generation_is_read_back_as_written(stored):
    """Nothing is lost, down to the second."""
    assert document.loads(document.dumps(stored)) == stored


def test_the_stored_members():
    """A document has exactly these members, instants end in Z and absent ones are left out."""
    raw = json.loads(document.dumps(SMALL))
    assert list(raw) == [
        *("schema", "generation", "parent", "op_id", "started_by", "reason", "at"),
        *("kms_key_arn_prefix", "keys", "ended"),
    ]
    assert (raw["schema"], raw["at"]) == (1, "2026-03-01T12:34:56Z")
    assert raw["keys"][1] == {
        "kid": f"{2:043}",
        "kms_key_arn": str(UUID(int=2**127 + 2)),
        "state": "standby",
        "lifetime": 86_400,
        "created": "2026-03-01T12:34:56Z",
        "published": "2026-03-01T12:34:58Z",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [("at", "2026-03-01T12:34:56.9Z"), ("keys.0.kms_key_arn", arn(1))],
    ids=["a fraction of a second", "a whole ARN beside the prefix"],
)
def test_other_spellings_are_read_as_well(path, value):
    """An instant is cut to whole seconds, and an ARN that is complete needs no prefix."""
    assert document.loads(edited(path, value)) == SMALL


def test_an_instant_of_another_zone_stays_the_same_instant():
    """An aware instant that is not UTC is converted before it is stored."""
    elsewhere = NOW.astimezone(timezone(timedelta(hours=2)))
    assert document.loads(document.dumps(replace(SMALL, at=elsewhere))).at == elsewhere


@pytest.mark.parametrize("text", ["x" * 256, "é" * 256, "\N{KEY}" * 256, "\x00" * 256, '"' * 256])
@pytest.mark.parametrize("live_keys", [10, 5, 0])
def test_the_largest_keyset_fits(live_keys, text):
    """The most keys that are ever listed, with any texts, fit in a Standard parameter."""
    prefix = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/"

    def moved(key):
        return replace(key, kms_key_arn=prefix + key.kms_key_arn.rpartition("/")[2])

    ended_keys = map(ended, range(20, 20 + LIMITS.listed_keys - live_keys))
    keyset = Keyset(tuple(map(moved, LIVE[:live_keys])), tuple(map(moved, ended_keys)), horizon=NOW)
    largest = replace(generation(()), keyset=keyset, started_by=text, reason=text)
    assert len(document.dumps(largest).encode()) <= 4096


def test_a_long_text_is_cut_with_a_mark():
    """A reason is cut at 200 bytes of JSON and then ends with an ellipsis."""
    reason = document.loads(document.dumps(replace(SMALL, reason="é" * 256))).reason
    assert reason == "é" * 97 + "…"
    assert document.loads(document.dumps(replace(SMALL, reason="r" * 198))).reason == "r" * 198


def test_a_document_of_exactly_the_limit_fits():
    """4,096 bytes are written, 4,097 are refused, counted as UTF-8."""
    spare = 4096 - len(document.dumps(replace(SMALL, op_id="")).encode())
    fitting = replace(SMALL, op_id="é" * (spare // 2) + "e" * (spare % 2))
    assert len(document.dumps(fitting).encode()) == 4096
    with pytest.raises(DocumentTooLarge):
        document.dumps(replace(fitting, op_id=fitting.op_id + "e"))


def test_too_large_is_refused_with_its_sizes():
    """The error says how large the document would be, and how many keys it has."""
    with pytest.raises(DocumentTooLarge) as refused:
        document.dumps(generation(LIVE, tuple(map(ended, range(20, 40)))))
    size = int(str(refused.value).split("take ")[1].split(" bytes")[0])
    assert size > 4096
    assert str(refused.value) == (
        f"generation 999999999999 would take {size} bytes; the limit is 4096: "
        "10 live and 20 recently ended keys"
    )


def test_a_newer_schema_is_an_error_of_its_own():
    """The document is not damaged: only the release that wrote it can read it."""
    with pytest.raises(NewerSchema) as refused:
        document.loads(edited("schema", 2))
    assert str(refused.value) == "schema 2 is newer than 1: deploy a newer Keyturn"


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("schema", 0, "schema 0 is unknown"),
        ("schema", "one", "schema: "),
        ("surprise", 1, "surprise: Extra inputs"),
        ("keys.0.surprise", 1, "keys.0.surprise: Extra inputs"),
        ("ended.0.published", "2026-03-01T12:00:00Z", "ended.0.published: Extra inputs"),
        ("keys.0.kid", "k" * 42, "keys.0.kid: "),
        ("keys.0.kid", "k" * 44, "keys.0.kid: "),
        ("keys.0.kid", "k" * 42 + "+", "keys.0.kid: "),
        ("keys.0.kid", "k" * 43 + "\n", "keys.0.kid: "),
        ("ended.0.kid", "../" + "k" * 40, "ended.0.kid: "),
        ("keys.0.state", "primary", "keys.0.state: "),
        ("keys.0.lifetime", 0, "keys.0.lifetime: "),
        ("keys.0.lifetime", None, "keys.0.lifetime: "),
        ("keys.0.lifetime", 10**9 + 1, "keys.0.lifetime: "),
        ("keys.0.created", "0001-01-01T00:00:00+01:00", "keys.0.created: "),
        ("at", "9999-12-31T23:59:59-01:00", "at: "),
        ("\udcff", 1, "\\udcff: Extra inputs"),
        ("horizon", "yesterday", "horizon: "),
        ("keys.0.created", "2026-03-01T12:00:00", "keys.0.created: "),
        ("keys.0.kms_key_arn", "", "keys.0.kms_key_arn: "),
        ("ended.0.kms_key_arn", "", "ended.0.kms_key_arn: "),
        ("generation", 0, "generation: "),
        ("generation", 1.5, "generation: "),
        ("keys", {}, "keys: "),
    ],
    ids=str,
)
def test_a_bad_member_is_refused_by_name(path, value, complaint):
    """An unknown schema, an unknown member or a bad value; the error begins with its path."""
    with pytest.raises(DocumentInvalid) as refused:
        document.loads(edited(path, value))
    assert str(refused.value).startswith(complaint)


@pytest.mark.parametrize(
    "path",
    [
        *("schema", "generation", "parent", "op_id", "started_by", "reason", "at"),
        *("kms_key_arn_prefix", "keys", "ended"),
        *("keys.0.kid", "keys.0.kms_key_arn", "keys.0.state", "keys.0.lifetime", "keys.0.created"),
        *("ended.0.kid", "ended.0.kms_key_arn", "ended.0.state"),
        *("ended.0.created", "ended.0.ended"),
    ],
)
def test_a_missing_field_is_refused_by_name(path):
    """No member has a default that a damaged document could fall back to."""
    with pytest.raises(DocumentInvalid) as refused:
        document.loads(edited(path, DELETE))
    assert str(refused.value) == f"{path}: Field required"


def test_a_broken_invariant_makes_the_document_invalid():
    """The error is that invariant, here as for every one in `test_model.py`."""
    with pytest.raises(DocumentInvalid) as refused:
        document.loads(edited("keys.1.state", "active"))
    assert str(refused.value) == "a keyset has at most one active key"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "\N{ZERO WIDTH NO-BREAK SPACE}{}",
        "null",
        "[]",
        '"text"',
        '{"schema": 1}',
        "[" * 4000,
    ],
    ids=["empty", "cut off", "BOM", "null", "list", "text", "schema only", "deep nesting"],
)
def test_a_text_that_is_no_document_is_refused(text):
    """The error is always DocumentInvalid."""
    with pytest.raises(DocumentInvalid):
        document.loads(text)
