"""Signatures by recipe: valid ones, other algorithms, and raw RSA over any block."""

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.vectors.keys import Keys, base64url
from tests.vectors.spelling import TryAnother, edited

_HASHES = {
    "MD5": hashes.MD5(),
    "SHA1": hashes.SHA1(),
    "224": hashes.SHA224(),
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
    "SHA3": hashes.SHA3_256(),
}
# DigestInfo up to the digest (RFC 8017 section 9.2 note 1), and what has been taken for it
INFO = {
    "sha256": "3031300d060960864801650304020105000420",
    "sha256-without-null": "302f300b0609608648016503040201" + "0420",
    "sha256-long-length": "308131300d060960864801650304020105000420",
    "sha1": "3021300906052b0e03021a05000414",
    "sha224": "302d300d06096086480165030402040500041c",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
    "sha512-256": "3031300d060960864801650304020605000420",
    "md5": "3020300c06082a864886f70d020505000410",
}


def sign(recipe: dict[str, Any], signed: str, secret: bytes, keys: Keys) -> bytes:
    """The signature bytes over `signed`.

    `key` and `alg` say whose and how; `block` is an encoded message for raw RSA, `number` an
    integer in place of one; `bytes` changes what came out.
    """
    key, message = keys.private[recipe.get("key", "active")], signed.encode("utf-8", "replace")
    if "block" in recipe:
        raw = _raw_rsa(key, _block(recipe["block"], message))
    else:
        raw = _by_algorithm(recipe.get("alg", "RS256"), key, message, secret)
        edits = recipe.get("bytes", ())
        if edits and raw.startswith(b"\0") != (["strip_zero"] in edits):
            raise TryAnother  # one signature in 256 has a leading zero: for the cases about it only
    if "number" in recipe:
        raw = _number(recipe["number"], raw, key, recipe.get("size", 256))
    for name, *arguments in recipe.get("bytes", ()):
        raw = _BYTE_EDITS[name](raw, *arguments)
    return raw


def segment(recipe: dict[str, Any], raw: bytes) -> str:
    """The third segment."""
    return edited(base64url(raw), recipe.get("spell", ()))


def _by_algorithm(alg: str, key: Any, message: bytes, secret: bytes) -> bytes:
    family, size = alg[:2], alg[2:]
    if alg == "none":
        return b""
    if alg == "EdDSA":
        return key.sign(message)
    if family == "HS":
        return hmac.digest(secret, message, f"sha{size}")
    if family == "RS":
        return key.sign(message, padding.PKCS1v15(), _HASHES[size])
    chosen = _HASHES[size]
    if family == "PS":
        pss = padding.PSS(padding.MGF1(chosen), chosen.digest_size)
        return key.sign(message, pss, chosen)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(chosen)))
    width = (key.key_size + 7) // 8
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")


def _block(pattern: str, message: bytes) -> bytes:
    """256 bytes from `0001 ff* 00 info:sha256 digest:sha256`; `ff*` fills up, `ff*8` is eight."""
    parts, fill = [], None
    for word in pattern.split():
        kind, _, name = word.partition(":")
        if kind == "info":
            parts.append(bytes.fromhex(INFO[name]))
        elif kind == "digest":
            parts.append(hashlib.new(name, message).digest())
        else:
            byte, star, count = word.partition("*")
            if star and not count:
                fill = len(parts)
            parts.append(bytes.fromhex(byte) * (int(count) if count else 1))
    if fill is not None:
        parts[fill] *= 256 - sum(map(len, parts)) + 1
    block = b"".join(parts)
    if len(block) != 256:
        raise ValueError(f"a block of {len(block)} bytes: {pattern}")
    return block


def _raw_rsa(key: Any, block: bytes) -> bytes:
    numbers = key.private_numbers()
    number = int.from_bytes(block, "big")
    if number >= numbers.public_numbers.n:
        raise TryAnother
    return pow(number, numbers.d, numbers.public_numbers.n).to_bytes(256, "big")


def _number(name: str, raw: bytes, key: Any, size: int) -> bytes:
    s, n = int.from_bytes(raw, "big"), key.public_key().public_numbers().n
    known = {"0": 0, "1": 1, "n-1": n - 1, "n": n, "n+1": n + 1, "s+n": s + n, "n-s": n - s}
    number = known[name] if name in known else 2 ** (8 * size) - 1
    try:
        return number.to_bytes(size, "big")
    except OverflowError:
        raise TryAnother from None


def _flip(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


_BYTE_EDITS: dict[str, Any] = {
    "strip_zero": lambda raw: raw[1:],
    "append": lambda raw, text: raw + bytes.fromhex(text),
    "prepend": lambda raw, text: bytes.fromhex(text) + raw,
    "cut": lambda raw, count: raw[:-count],
    "behead": lambda raw, count: raw[count:],
    "flip": _flip,
    "reverse": lambda raw: raw[::-1],
    "repeat": lambda raw, count: raw * count,
    "hex": lambda raw: raw.hex().encode(),
    "fill": lambda raw, text: bytes.fromhex(text) * len(raw),
}
