"""Base64url: one spelling per byte string."""

import random

import pytest

from keyturn.tokens import base64url


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"\xfb\xff\xfe", "-__-"),
        (bytes([3, 236, 255, 224, 193]), "A-z_4ME"),
    ],
    ids=["empty", "one", "two", "three", "both special characters", "RFC 7515 appendix C"],
)
def test_known_spellings(raw, text):
    """Bytes and their text belong together, in both directions, without padding."""
    assert base64url.encode(raw) == text
    assert base64url.decode(text) == raw


def test_round_trip():
    """What was encoded decodes to the same bytes, at every length modulo three."""
    generator = random.Random(7515)
    for size in range(100):
        raw = generator.randbytes(size)
        assert base64url.decode(base64url.encode(raw)) == raw


@pytest.mark.parametrize(
    "text",
    [
        *("Zg==", "Zg=", "Zm8=", "=", "Zm9v===="),
        *("Zh", "Zm9", "-__-Zh"),
        *("+//+", "-/_-"),
        *(" Zg", "Zg ", "Zg\n", "Z g", "\tZg", "Zm9v\r\n"),
        *("Z", "Zm9vZ"),
        *("Zg.", "Z%67", "Zm9v\0", "Zg!!", "Zм8", "Ｚg", "é"),
    ],
    ids=ascii,
)
def test_any_other_spelling_is_refused(text):
    """Padding, set trailing bits, the plain alphabet, whitespace and strangers are refused."""
    with pytest.raises(ValueError, match=r"base64url|ASCII"):
        base64url.decode(text)
