"""Edits of a segment or a whole token, which spell it differently."""

from collections.abc import Callable, Sequence
from typing import Any

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class TryAnother(Exception):
    """This edit changes nothing in this token: build one with another `jti`."""


def edited(text: str, edits: Sequence[Sequence[Any]]) -> str:
    """`text` after edits such as `["append", "="]` or `["insert", 7, "\\n"]`."""
    for name, *arguments in edits:
        text = _EDITS[name](text, *arguments)
    return text


def _replace(text: str, old: str, new: str) -> str:
    if old not in text:
        raise TryAnother
    return text.replace(old, new, 1)


def _pad(text: str) -> str:
    if len(text) % 4 == 0:
        raise ValueError("has no padding")
    return text + "=" * (-len(text) % 4)


def _bits(text: str, bits: int) -> str:
    """Set unused bits of the last character: the same bytes, another text."""
    unused = {2: 15, 3: 3}[len(text) % 4]
    last = ALPHABET.index(text[-1])
    if not 0 < bits <= unused or last & unused:
        raise ValueError(f"{bits} is not within the {unused} unused bits")
    return text[:-1] + ALPHABET[last | bits]


def _standard(text: str) -> str:
    if not {"-", "_"} & set(text):
        raise TryAnother
    return text.replace("-", "+").replace("_", "/")


_EDITS: dict[str, Callable[..., str]] = {
    "append": lambda text, more: text + more,
    "prepend": lambda text, more: more + text,
    "insert": lambda text, at, more: text[:at] + more + text[at:],
    "replace": _replace,
    "cut": lambda text, count: text[:-count],
    "behead": lambda text, count: text[count:],
    "repeat": lambda text, count: text * count,
    "pad": _pad,
    "bits": _bits,
    "standard": _standard,
    "upper": str.upper,
    "swapcase": str.swapcase,
    "reverse": lambda text: text[::-1],
    "empty": lambda _text: "",
    "percent": lambda text: "".join(f"%{ord(char):02X}" for char in text),
    "fullwidth": lambda text: text.translate({code: code + 0xFEE0 for code in range(0x30, 0x7B)}),
}
