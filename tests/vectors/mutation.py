"""Mutations of a token: of its text, of its segments, and of the JSON that is then signed again."""

import base64
import json
import random
from collections.abc import Callable
from typing import Any

from tests.vectors.keys import base64url
from tests.vectors.spelling import ALPHABET

_ODD = "=+/ \n\r\t\0.,:;~%\"'\\{}[]éＡ\u200b\ufeff\U0001f511"
_JSON_TEXTS = (
    *("null", "true", "false", "0", "-0", "1", "-1", "1.0", "1e3", "1E+2", "1e999", "NaN"),
    *("Infinity", "01", "+1", ".5", '""', '"x"', "[]", "{}", '[""]', '{"a":1,"a":1}', "9" * 4301),
    *(r'"\ud800"', r'"\ud83d\udd11"', r'"\u0000"', "'x'", "", ",", "[[[[]]]]", '"\n"', "1 1", "{"),
    *('"at+jwt"', '"RS256"', '"none"', '"orders"', '"https://issuer.example"', "9" * 40),
)
_REWRITINGS = {  # of an object's members, with their weights
    **dict.fromkeys(("shuffle", "drop", "again", "time", "name", "more", "none"), 10),
    "value": 20,
    "size": 3,
}
_BITS = bytes(1 << shift for shift in range(8))
Parts = tuple[str, str, str]


def unsigned(rng: random.Random, token: str, other: str) -> str:
    """Another text, its signature as it was; `other` is a good token to take pieces from."""
    return rng.choice(_TEXT_MUTATIONS)(rng, token, other)


def to_sign(rng: random.Random, token: str) -> tuple[str, str]:
    """Header and payload segments for a signature of their own."""
    header, payload, _ = token.split(".")
    times = rng.choice((1, 1, 1, 2, 3))
    for _ in range(times):
        if rng.random() < 0.3:
            header = _mutate_segment(rng, header)
        else:
            payload = _mutate_segment(rng, payload)
    return header, payload


def _mutate_segment(rng: random.Random, segment: str) -> str:
    if rng.random() < 0.15:
        return rng.choice(_SPELLINGS)(rng, segment)
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        return segment
    mutated = rng.choice(_JSON_MUTATIONS)(rng, raw)
    return base64url(mutated) or "e30"


def _char(rng: random.Random) -> str:
    return rng.choice(ALPHABET if rng.random() < 0.6 else _ODD)


def _replace_char(rng: random.Random, text: str, _other: str = "") -> str:
    at = rng.randrange(len(text))
    return text[:at] + _char(rng) + text[at + 1 :]


def _insert_char(rng: random.Random, text: str, _other: str = "") -> str:
    at = rng.randint(0, len(text))
    return text[:at] + _char(rng) + text[at:]


def _delete(rng: random.Random, text: str, _other: str = "") -> str:
    at = rng.randrange(len(text))
    return text[:at] + text[at + rng.choice((1, 1, 2, 4, 40)) :]


def _repeat(rng: random.Random, text: str, _other: str = "") -> str:
    start, end = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    return text[:end] + text[start:end] + text[end:]


def _swap(rng: random.Random, text: str, _other: str = "") -> str:
    at = rng.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _flip_case(rng: random.Random, text: str, _other: str = "") -> str:
    at = rng.randrange(len(text))
    return text[:at] + text[at].swapcase() + text[at + 1 :]


def _splice(rng: random.Random, text: str, other: str) -> str:
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


def _exchange(rng: random.Random, text: str, other: str) -> str:
    mine, theirs = text.split("."), other.split(".")
    return ".".join(rng.choice(pair) for pair in zip(mine, theirs, strict=True))


def _segments(rng: random.Random, text: str, other: str) -> str:
    parts = [*text.split("."), *other.split(".")]
    return ".".join(rng.choice((*parts, "")) for _ in range(rng.choice((1, 2, 3, 3, 3, 4, 5))))


def _signature_bits(rng: random.Random, text: str, _other: str) -> str:
    signed, _, signature = text.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    for _ in range(rng.choice((1, 1, 2, 8))):
        raw[rng.randrange(len(raw))] ^= rng.choice(_BITS)
    return f"{signed}.{base64url(bytes(raw))}"


def _respell(rng: random.Random, text: str, _other: str) -> str:
    parts = text.split(".")
    at = rng.randrange(3)
    parts[at] = rng.choice(_SPELLINGS)(rng, parts[at])
    return ".".join(parts)


def _unsigned_json(rng: random.Random, text: str, _other: str) -> str:
    header, payload = to_sign(rng, text)
    return f"{header}.{payload}.{text.rpartition('.')[2]}"


def _pad(_rng: random.Random, text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _standard(_rng: random.Random, text: str) -> str:
    return text.replace("-", "+").replace("_", "/")


def _last_bits(rng: random.Random, text: str) -> str:
    return text[:-1] + rng.choice(ALPHABET)


_TEXT_MUTATIONS: tuple[Callable[[random.Random, str, str], str], ...] = (
    *(_replace_char, _insert_char, _delete, _repeat, _swap, _flip_case, _splice, _exchange),
    *(_segments, _signature_bits, _respell, _unsigned_json),
)
_SPELLINGS: tuple[Callable[[random.Random, str], str], ...] = (
    *(_pad, _standard, _last_bits, _replace_char, _insert_char),
)


def _flip_bit(rng: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    changed[rng.randrange(len(raw))] ^= rng.choice(_BITS)
    return bytes(changed)


def _insert_bytes(rng: random.Random, raw: bytes) -> bytes:
    at = rng.randint(0, len(raw))
    piece = rng.choice(
        (b" ", b"\n", b"\0", b"\xff", b"\xc0\xaf", b'"', b"{", b"}", b",", b"\\", b"0")
    )
    return raw[:at] + piece + raw[at:]


def _delete_byte(rng: random.Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw))
    return raw[:at] + raw[at + 1 :]


def _re_encode(rng: random.Random, raw: bytes) -> bytes:
    text = raw.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-8-sig", "utf-16", "utf-16-le", "utf-32")))


def _members(rng: random.Random, raw: bytes) -> bytes:
    """Write the members anew: reordered, dropped, said twice, given other values, escaped."""
    try:
        members = json.loads(raw)
    except (ValueError, RecursionError):
        return _flip_bit(rng, raw)
    if not isinstance(members, dict) or not members:
        return _insert_bytes(rng, raw)
    pairs = [(json.dumps(name), _dumped(rng, value)) for name, value in members.items()]
    pairs = _rewritten(rng, pairs)
    space = rng.choice(("", "", " ", "\n", "\u00a0" if rng.random() < 0.1 else "\t"))
    inside = f",{space}".join(f"{name}{space}:{value}" for name, value in pairs)
    return f"{{{inside}{space}}}".encode("utf-8", "surrogatepass")


def _rewritten(rng: random.Random, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    at = rng.randrange(len(pairs))
    match rng.choices(list(_REWRITINGS), list(_REWRITINGS.values()))[0]:
        case "shuffle":
            rng.shuffle(pairs)
        case "drop":
            del pairs[at]
        case "again":
            pairs.insert(rng.randint(0, len(pairs)), pairs[at])
        case "value":
            pairs[at] = (pairs[at][0], rng.choice(_JSON_TEXTS))
        case "time":
            pairs = [(name, _shifted(rng, value)) for name, value in pairs]
        case "name":
            pairs[at] = (rng.choice(('"x"', '""', '"kid"', r'"\u0061lg"', "x")), pairs[at][1])
        case "more":
            pairs.append((rng.choice(('"q"', '"crit"', '"jwk"', '"exp"')), rng.choice(_JSON_TEXTS)))
        case "size":
            pairs.append(('"pad"', f'"{"x" * rng.randint(5_540, 5_620)}"'))  # about 8 KB in all
    return pairs


def _dumped(rng: random.Random, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    if isinstance(value, str) and value and value.isalnum() and rng.random() < 0.2:
        return f'"\\u{ord(value[0]):04x}{value[1:]}"' if ord(value[0]) < 0x10000 else text
    return text


def _shifted(rng: random.Random, text: str) -> str:
    """A number moved to one of the edges that times have."""
    if not text.isdigit():
        return text
    return str(int(text) + rng.choice((0, 0, 1, -1, 29, 30, 31, -29, -30, -31, 300, 3600, -3600)))


_JSON_MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_flip_bit, _insert_bytes, _delete_byte, _re_encode, _members, _members, _members, _members),
)
