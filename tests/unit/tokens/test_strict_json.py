"""JSON as a token may contain it."""

import json
import random

import pytest

from keyturn.tokens import strict_json


@pytest.mark.parametrize(
    ("raw", "members"),
    [
        (b"{}", {}),
        (
            b' { "a" : [1, -2.5, true, null, {"b": "c"}] }\n',
            {"a": [1, -2.5, True, None, {"b": "c"}]},
        ),
        ('{"sub":"Zoë \U0001f511"}'.encode(), {"sub": "Zoë \U0001f511"}),
        (rb'{"sub":"\ud83d\udd11","\u0061":"\\ud800"}', {"sub": "\U0001f511", "a": "\\ud800"}),
        (b'{"a":{"x":1},"b":{"x":2}}', {"a": {"x": 1}, "b": {"x": 2}}),
        (b'{"exp":1e3}', {"exp": 1000.0}),
    ],
    ids=["empty", "every type", "UTF-8", "escapes", "same name, other object", "exponent"],
)
def test_an_object_is_read(raw, members):
    """Ordinary JSON objects are read as they are."""
    assert strict_json.loads(raw) == members


def test_numbers_keep_their_type():
    """An integer stays an integer and a float a float, for the claims to tell apart."""
    members = strict_json.loads(b'{"i":1,"f":1.0,"b":true}')
    assert [type(value) for value in members.values()] == [int, float, bool]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xef\xbb\xbf{}", id="BOM"),
        pytest.param('{"a":1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"a":"\xff"}', id="not UTF-8"),
        pytest.param(b'{"a":"\xc0\xaf"}', id="overlong UTF-8"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', id="surrogate in UTF-8"),
        pytest.param(rb'{"a":"\ud800"}', id="lone high surrogate"),
        pytest.param(rb'{"a":["\udc00"]}', id="lone low surrogate"),
        pytest.param(rb'{"\ud800":1}', id="lone surrogate in a name"),
        pytest.param(b'{"a":1,"a":1}', id="duplicate"),
        pytest.param(rb'{"a":1,"\u0061":2}', id="duplicate by escape"),
        pytest.param(b'{"a":[{"b":1,"b":1}]}', id="duplicate inside"),
        pytest.param(b'{"a":"x,y","a":"x,y"}', id="duplicate, commas in texts"),
        pytest.param(b'{"a":",","b":1,"a":2}', id="duplicate, a comma too many"),
        pytest.param(b'{"a":[1,2],"a":1}', id="duplicate beside a list"),
        pytest.param(b'{"a":{},"b":1,"b":1}', id="duplicate beside an object"),
        pytest.param(b'{"a" :1 , "a" : 2}', id="duplicate with spaces"),
        pytest.param(b'{"a":1,"a":1,"a":1}', id="three times the same"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":Infinity}', id="Infinity"),
        pytest.param(b'{"a":-Infinity}', id="-Infinity"),
        pytest.param(b'{"a":1e999}', id="1e999"),
        pytest.param(b'{"a":-1e999}', id="-1e999"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="5000 digits"),
        pytest.param(b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}", id="deep lists"),
        pytest.param(b'{"a":' * 3000 + b"1" + b"}" * 3000, id="deep objects"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'"a"', id="text"),
        pytest.param(b"null", id="null"),
        pytest.param(b"1", id="number"),
        pytest.param(b"{}{}", id="two objects"),
        pytest.param(b"{} x", id="trailing text"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b'{"a":01}', id="leading zero"),
        pytest.param(b'{"a":"\n"}', id="raw control character"),
        pytest.param(b'{"a":1 /* b */}', id="comment"),
    ],
)
def test_anything_else_is_refused(raw):
    """What two parsers could read differently, or not at all, is a ValueError."""
    with pytest.raises(ValueError):
        strict_json.loads(raw)


def test_a_member_told_twice_is_seen_wherever_it_stands():
    """Objects of random members, texts full of commas and braces, one member said again or not."""
    rng = random.Random(8259)
    texts = ["", ",", "{", "}", "a,b", "{,}", '\\",', "\\\\", "[", ":"]
    for _ in range(3_000):
        names = [f'"{name}"' for name in rng.sample("abcdef", rng.randint(1, 6))]
        values = [rng.choice([f'"{rng.choice(texts)}"', "1", "[1,2]", "{}", "[]"]) for _ in names]
        members = [f"{name}:{value}" for name, value in zip(names, values, strict=True)]
        good = "{" + ",".join(members) + "}"
        assert strict_json.loads(good.encode()) == json.loads(good)
        members.insert(rng.randrange(len(members) + 1), f"{rng.choice(names)}:{rng.choice(values)}")
        with pytest.raises(ValueError, match="duplicate member"):
            strict_json.loads(("{" + ",".join(members) + "}").encode())


def test_no_nesting_escapes_as_another_error():
    """Around the depth that Python can follow, an object is read or refused, and nothing else."""
    for depth in range(900, 1100):
        for left, right in (("[", "]"), ('{"a":', "}")):
            raw = ('{"x":' + left * depth + r'"\u0061"' + right * depth + "}").encode()
            try:
                strict_json.loads(raw)
            except ValueError as error:
                assert str(error) == "nested too deeply"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"nope", "not JSON"),
        (b"[]", "not an object"),
        (b"{}{}", "not an object"),
        (b'{"a":1,"a":2}', "duplicate member"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":1e999}', "number out of range"),
    ],
)
def test_what_is_wrong_is_said(raw, words):
    """In words of ours: none of the text comes with them."""
    with pytest.raises(ValueError, match=f"^{words}$"):
        strict_json.loads(raw)
