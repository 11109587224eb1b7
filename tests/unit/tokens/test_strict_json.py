"""JSON that a token may contain.

What is refused is in `tests/vectors` (`json_duplicates`, `json_syntax`, `json_text`).
"""

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
    """Ordinary JSON objects are accepted."""
    assert strict_json.loads(raw) == members


def test_numbers_keep_their_type():
    """An integer stays an integer and a float a float, for the claims to tell apart."""
    members = strict_json.loads(b'{"i":1,"f":1.0,"b":true}')
    assert [type(value) for value in members.values()] == [int, float, bool]


def test_a_duplicate_member_is_refused_wherever_it_is():
    """The other members are random, with texts full of commas and braces."""
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


def test_deep_nesting_raises_no_other_error():
    """Around the depth that Python can follow, an object is accepted or refused with a ValueError."""
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
def test_the_error_contains_no_text_of_the_token(raw, words):
    """It only says what is wrong."""
    with pytest.raises(ValueError, match=f"^{words}$"):
        strict_json.loads(raw)
