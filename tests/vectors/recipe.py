"""A token from its recipe in one of the JSON files of this folder.

A recipe says only how a token differs from a valid one.

`header`, `payload`: `members` (in place of all), `set`, `without`, `raw` (a member's value as JSON
text), `again` (JSON text before the closing brace), `json` (in place of all that), `before`,
`after`, `encoding`, `hex` (bytes in place of `@@`), `spell` (edits of the base64url text),
`segment` (in place of everything). All of this happens before the token is signed.
`signature`: see signatures.py; `of` is a recipe of another token whose signature it is; `over` is
the text that is signed, `secret` the key of an HMAC, `spell` edits the base64url text.
`text`: a template for what is sent; `edits`: what is then done to it.
`world`: which keyset; `at`: seconds after NOW at which it is verified.
Templates know `${now}`, `${now+60}`, `${kid.active}`, `${x*5000}` and what `_lookup` has.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.vectors.keys import Keys, base64url
from tests.vectors.signatures import segment, sign
from tests.vectors.spelling import TryAnother, edited

NOW = 1_772_366_400
ISSUER = "https://issuer.example"
AUDIENCE = "orders"
LEEWAY = 30
LIFETIMES = {"active": 3600, "standby": 3600, "grace": 900, "past": 900}
VERIFY_UNTIL = {"grace": NOW + 600, "past": NOW - 1}

HEADER = {"alg": "RS256", "kid": "${kid.active}", "typ": "at+jwt"}
CLAIMS = {
    "iss": ISSUER,
    "sub": "user-1",
    "aud": AUDIENCE,
    "exp": "${now+600}",
    "iat": "${now}",
    "nbf": "${now}",
    "jti": "${jti}",
    "client_id": "shop",
    "scope": "orders:read",
}
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
_TRIES = 20_000


def load(path: Path) -> list[dict[str, Any]]:
    """The cases of a file."""
    return json.loads(path.read_text("utf-8"))["cases"]


def make(recipe: dict[str, Any], keys: Keys) -> str:
    """The text of the token, with a `jti` for which the fault is visible."""
    for number in range(_TRIES):
        try:
            return _Builder(keys, f"id-{number}").text(recipe)
        except TryAnother:
            continue
    raise ValueError(f"no token shows it: {recipe}")


def filled(value: Any, keys: Keys, **known: Any) -> Any:
    """A template, or a structure of templates, with its placeholders filled in."""
    return _Builder(keys, "id-0").knowing(known).fill(value)


class _Builder:
    """Builds one token."""

    def __init__(self, keys: Keys, jti: str) -> None:
        self._keys = keys
        self._known: dict[str, Any] = {"jti": jti, "now": NOW, "issuer": ISSUER}

    def text(self, recipe: dict[str, Any]) -> str:
        header, payload, signature = self._segments(recipe)
        token = f"{header}.{payload}.{signature}"
        if "text" in recipe:
            parts = {"token": token, "header": header, "payload": payload, "signature": signature}
            token = _Builder.knowing(self, parts).fill(recipe["text"])
        return edited(token, recipe.get("edits", ()))

    def _segments(self, recipe: dict[str, Any]) -> tuple[str, str, str]:
        header = self._part(recipe.get("header", {}), HEADER)
        payload = self._part(recipe.get("payload", {}), CLAIMS)
        how = recipe.get("signature", {})
        if "of" in how:
            return header, payload, self._segments(how["of"])[2]
        parts = {"header": header, "payload": payload, "signed": f"{header}.{payload}"}
        knowing = self.knowing(parts)
        over = knowing.fill(how.get("over", "${signed}"))
        secret = knowing.fill(how.get("secret", ""))
        secret = secret if isinstance(secret, bytes) else secret.encode()
        return header, payload, segment(how, sign(how, over, secret, self._keys))

    def _part(self, part: dict[str, Any], usual: dict[str, Any]) -> str:
        if "segment" in part:
            return self.fill(part["segment"])
        raw = self._bytes(part, usual)
        return edited(base64url(raw), self.fill(part.get("spell", [])))

    def _bytes(self, part: dict[str, Any], usual: dict[str, Any]) -> bytes:
        text = self.fill(part["json"]) if "json" in part else self._json(part, usual)
        text = self.fill(part.get("before", "")) + text + self.fill(part.get("after", ""))
        raw = text.encode(part.get("encoding", "utf-8"))
        return raw.replace(b"@@", bytes.fromhex(part["hex"])) if "hex" in part else raw

    def _json(self, part: dict[str, Any], usual: dict[str, Any]) -> str:
        members = {**part.get("members", usual), **part.get("set", {})}
        raw = {name: self.fill(text) for name, text in part.get("raw", {}).items()}
        texts = {
            name: json.dumps(self.fill(value), separators=(",", ":"), ensure_ascii=False)
            for name, value in members.items()
            if name not in (*part.get("without", ()), *raw)
        }
        texts_by_name = [f"{json.dumps(name)}:{text}" for name, text in {**texts, **raw}.items()]
        again = [self.fill(part["again"])] if "again" in part else []
        return "{" + ",".join([*texts_by_name, *again]) + "}"

    def knowing(self, more: dict[str, Any]) -> "_Builder":
        """The same builder, with more names for its templates."""
        other = _Builder(self._keys, self._known["jti"])
        other._known = {**self._known, **more}
        return other

    def fill(self, value: Any) -> Any:
        """`value` with its placeholders filled in; one that is all of a text keeps its type."""
        if isinstance(value, dict):
            return {name: self.fill(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if not isinstance(value, str):
            return value
        whole = _PLACEHOLDER.fullmatch(value)
        if whole:
            return self._lookup(whole[1])
        return _PLACEHOLDER.sub(lambda match: str(self._lookup(match[1])), value)

    def _lookup(self, name: str) -> Any:
        if name in self._known:
            return self._known[name]
        if shifted := re.fullmatch(r"now([+-]\d+)", name):
            return NOW + int(shifted[1])
        if repeated := re.fullmatch(r"(.+)\*(\d+)", name):
            return repeated[1] * int(repeated[2])
        what, _, rest = name.partition(".")
        return _OF_KEYS[what](self._keys, rest)


_OF_KEYS: dict[str, Any] = {
    "kid": Keys.kid,
    "jwk": Keys.jwk,
    "jwk_json": lambda keys, name: json.dumps(keys.jwk(name)),
    "kid_upper": lambda keys, name: keys.kid(name).upper(),
    "kid_lower": lambda keys, name: keys.kid(name).lower(),
    "kid_short": lambda keys, name: keys.kid(name)[:-1],
    "kid_hex": lambda keys, name: keys.kid(name).encode().hex(),
    "n": lambda keys, name: keys.jwk(name)["n"],
    "pem": Keys.pem,
    "pem_stripped": lambda keys, name: keys.pem(name).strip(),
    "pkcs1_pem": Keys.pkcs1_pem,
    "der": Keys.der,
    "der_base64": lambda keys, name: base64url(keys.der(name)),
}
