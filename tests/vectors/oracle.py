"""An independent verifier, written from the RFCs without a JSON, base64 or RSA library.

`lawful` shares no code with the product, so the two can disagree. It does not judge tokens nested
deeper than DEPTH, where the interpreter's own limit decides.
"""

import hashlib
import math
import re
from typing import Any

from tests.vectors.keys import Keys
from tests.vectors.recipe import AUDIENCE, ISSUER, LEEWAY, LIFETIMES, VERIFY_UNTIL
from tests.vectors.signatures import INFO
from tests.vectors.spelling import ALPHABET

DEPTH = 200
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPES = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))
_VALUES = {char: value for value, char in enumerate(ALPHABET)}
_WORDS = {"true": True, "false": False, "null": None}
_DIGITS = 4300  # longer integers are refused (CVE-2020-10735)


class Unlawful(Exception):
    """The token breaks a rule."""


class TooDeep(Exception):
    """The token is nested deeper than DEPTH."""


def lawful(text: str, keys: Keys, now: float) -> dict[str, Any] | None:
    """The claims of a token that must be accepted, or None for one that must be refused."""
    try:
        return _claims(text, keys, now)
    except Unlawful:
        return None


def _claims(text: str, keys: Keys, now: float) -> dict[str, Any]:
    _insist(len(text) <= 8192)
    segments = text.split(".")
    _insist(len(segments) == 3)
    header, payload, signature = (_octets(segment) for segment in segments)
    members = _object(header)
    _insist(sorted(members) == ["alg", "kid", "typ"])
    _insist(members["alg"] == "RS256" and members["typ"] == "at+jwt")
    names = {keys.kid(name): name for name in LIFETIMES}
    _insist(isinstance(members["kid"], str) and members["kid"] in names)
    name = names[members["kid"]]
    _insist(now <= VERIFY_UNTIL.get(name, now))
    _insist(_is_signature(signature, ".".join(segments[:2]), keys, name))
    claims = _object(payload)
    _insist(_hold(claims, LIFETIMES[name], now))
    return claims


def _insist(condition: bool) -> None:
    if not condition:
        raise Unlawful


def _octets(segment: str) -> bytes:
    """RFC 4648 section 5 by hand: the alphabet, no padding, unused bits zero."""
    _insist(_SEGMENT.fullmatch(segment) is not None and len(segment) % 4 != 1)
    number = 0
    for char in segment:
        number = number << 6 | _VALUES[char]
    unused = len(segment) * 6 % 8
    _insist(number & ((1 << unused) - 1) == 0)
    return (number >> unused).to_bytes(len(segment) * 6 // 8, "big")


def _is_signature(signature: bytes, signed: str, keys: Keys, name: str) -> bool:
    """RFC 8017 section 8.2.2: compare the encoded message with what it must be, byte by byte."""
    numbers = keys.public(name).public_numbers()
    number = int.from_bytes(signature, "big")
    if len(signature) != 256 or number >= numbers.n:
        return False
    tail = bytes.fromhex(INFO["sha256"]) + hashlib.sha256(signed.encode("ascii")).digest()
    block = b"\x00\x01" + b"\xff" * (253 - len(tail)) + b"\x00" + tail
    return pow(number, numbers.e, numbers.n) == int.from_bytes(block, "big")


def _hold(claims: dict[str, Any], lifetime: int, now: float) -> bool:
    texts = [claims.get(name) for name in ("iss", "sub", "aud", "jti", "client_id")]
    times: list[Any] = [claims.get(name) for name in ("iat", "nbf", "exp")]
    if not all(type(text) is str and text != "" for text in texts):
        return False
    if not all(type(time) is int for time in times):
        return False
    if type(claims.get("scope", "")) is not str:
        return False
    iat, nbf, exp = times
    in_time = iat <= now + LEEWAY and nbf <= now + LEEWAY and now - LEEWAY < exp
    life = iat < exp <= iat + lifetime
    return (texts[0], texts[2]) == (ISSUER, AUDIENCE) and in_time and life


def _object(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise Unlawful from None
    value, end = _value(text, _skip(text, 0), 0)
    _insist(_skip(text, end) == len(text) and type(value) is dict)
    return value


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space, "it matches nothing, too"
    return space.end()


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """RFC 8259 section 3."""
    if depth > DEPTH:
        raise TooDeep
    first = text[at : at + 1]
    if first == '"':
        return _string(text, at + 1)
    if first == "{":
        return _members(text, at + 1, depth)
    if first == "[":
        return _elements(text, at + 1, depth)
    for word, value in _WORDS.items():
        if text.startswith(word, at):
            return value, at + len(word)
    number = _NUMBER.match(text, at)
    if number is None:
        raise Unlawful
    return _number(number), number.end()


def _number(literal: re.Match[str]) -> int | float:
    if literal[1] is None and literal[2] is None:
        _insist(len(literal[0].lstrip("-")) <= _DIGITS)
        return int(literal[0])
    number = float(literal[0])
    _insist(math.isfinite(number))
    return number


def _members(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    """RFC 8259 section 4, and each name once (RFC 7493 section 2.3)."""
    members: dict[str, Any] = {}
    at = _skip(text, at)
    if text.startswith("}", at):
        return members, at + 1
    while True:
        _insist(text.startswith('"', at))
        name, at = _string(text, at + 1)
        at = _skip(text, at)
        _insist(text.startswith(":", at) and name not in members)
        members[name], at = _value(text, _skip(text, at + 1), depth + 1)
        at = _skip(text, at)
        if text.startswith("}", at):
            return members, at + 1
        _insist(text.startswith(",", at))
        at = _skip(text, at + 1)


def _elements(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    """RFC 8259 section 5."""
    elements: list[Any] = []
    at = _skip(text, at)
    if text.startswith("]", at):
        return elements, at + 1
    while True:
        element, at = _value(text, _skip(text, at), depth + 1)
        elements.append(element)
        at = _skip(text, at)
        if text.startswith("]", at):
            return elements, at + 1
        _insist(text.startswith(",", at))
        at += 1


def _string(text: str, at: int) -> tuple[str, int]:
    """RFC 8259 section 7; surrogates only in pairs (RFC 7493 section 2.1)."""
    units: list[str] = []
    while True:
        plain = _PLAIN.match(text, at)
        assert plain, "it matches nothing, too"
        units.append(plain[0])
        at = plain.end()
        char, escape = text[at : at + 1], text[at + 1 : at + 2]
        if char == '"':
            try:
                joined = "".join(units).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            except UnicodeDecodeError:
                raise Unlawful from None
            return joined, at + 1
        _insist(char == "\\")
        if escape == "u":
            code = text[at + 2 : at + 6]
            _insist(re.fullmatch(r"[0-9a-fA-F]{4}", code) is not None)
            units.append(chr(int(code, 16)))
            at += 6
        else:
            _insist(escape in _ESCAPES)
            units.append(_ESCAPES[escape])
            at += 2
