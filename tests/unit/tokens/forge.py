"""Tokens that no issuer would sign."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.cloud import material

Segment = dict[str, Any] | bytes | str


def forge(key: RSAPrivateKey, header: Segment, payload: Segment) -> str:
    """Sign any header and payload: members as a dict, JSON as bytes, a segment as text."""
    signing_input = f"{_segment(header)}.{_segment(payload)}"
    return f"{signing_input}.{_segment(material.sign(key, signing_input.encode()))}"


def _segment(part: Segment) -> str:
    if isinstance(part, str):
        return part
    raw = json.dumps(part).encode() if isinstance(part, dict) else part
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
