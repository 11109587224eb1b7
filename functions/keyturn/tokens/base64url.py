"""Base64url without padding (RFC 7515 section 2), one spelling per byte string."""

import base64
import binascii


def encode(raw: bytes) -> str:
    """The canonical text of `raw`."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of `text`; raises ValueError for any spelling but the canonical one."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if encode(raw) != text:  # stray characters, padding, set trailing bits
        raise ValueError("not canonical base64url")
    return raw
