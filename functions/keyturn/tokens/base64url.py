"""Base64url without padding (RFC 7515 section 2); only the canonical encoding is accepted."""

import base64
import binascii
import string

_ALPHABET = (string.ascii_letters + string.digits).encode()
# Characters outside the alphabet become one that standard base64 does not have either.
_TO_STANDARD = bytes(byte if byte in _ALPHABET else b"+/!"[b"-_".find(byte)] for byte in range(256))
_PADDING = (b"", b"", b"==", b"=")  # by length modulo four; a remainder of one is invalid
_FINAL_CHARACTERS = (
    b"",
    b"",
    b"AQgw",
    b"AEIMQUYcgkosw048",
)  # the last characters whose unused bits are zero


def encode(raw: bytes) -> str:
    """The base64url text of `raw`."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of `text`; raises ValueError for anything but the canonical encoding."""
    if not text.isascii():
        raise ValueError("not base64url")
    return decode_ascii(text.encode())


def decode_ascii(text: bytes) -> bytes:
    """Like `decode`, for text that is already bytes."""
    remainder = len(text) % 4
    if remainder and text[-1] not in _FINAL_CHARACTERS[remainder]:
        raise ValueError("not canonical base64url")
    try:
        return binascii.a2b_base64(
            text.translate(_TO_STANDARD) + _PADDING[remainder], strict_mode=True
        )
    except binascii.Error:
        raise ValueError("not base64url") from None
