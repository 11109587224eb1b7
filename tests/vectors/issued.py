"""Tokens that the product itself builds, signed with the keys of the session."""

import json
from typing import Any

from keyturn.tokens import claims, jws
from tests.vectors.keys import Keys, base64url
from tests.vectors.recipe import AUDIENCE, ISSUER, NOW
from tests.vectors.signatures import sign

SIGNERS = ("active", "standby", "grace")


def build_claims(**members: Any) -> dict[str, Any]:
    """The claims of a token issued at NOW, as the issuer builds them."""
    usual: dict[str, Any] = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": NOW,
        "subject": "user-1",
        "client_id": "shop",
        "lifetime": 600,
        "scope": "orders:read",
    }
    return claims.build(**(usual | members))


def issue(keys: Keys, signer: str, members: dict[str, Any]) -> str:
    """The token with these claims, by the key of this name."""
    return sign_segments(keys, signer, jws.build_signing_input(keys.kid(signer), members))


def sign_segments(keys: Keys, signer: str, signing_input: str) -> str:
    """The token with this header and payload, whatever they are."""
    return f"{signing_input}.{base64url(sign({'key': signer}, signing_input, b'', keys))}"


def is_same(left: Any, right: Any) -> bool:
    """Equal in value and in type: 1, 1.0 and true are different claims."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
