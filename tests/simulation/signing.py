"""Tokens that the issuer did not issue: an attacker has a key of the stack, or may use it."""

from typing import Any

from keyturn.tokens import claims, jws
from tests.cloud import material
from tests.simulation.watch.tokens import Token
from tests.simulation.world import EPOCH, World


def sign(world: World, kid: str, arn: str, *, at: float | None = None, genuine: bool = True,
         **members: Any) -> Token:  # fmt: skip
    """A token of this key, issued now or `at` (true seconds); `members` are those of claims.build."""
    now = int(EPOCH.timestamp() + (world.now() if at is None else at))
    members = {
        "issuer": "https://sim.example",
        "audience": "orders",
        "subject": "thief",
        "client_id": "thief",
        "jti": "stolen",
        "lifetime": world.times.token_lifetime,
        **members,
    }
    signing_input = jws.build_signing_input(kid, claims.build(now=now, **members))
    signature = material.sign(world.kms.keys[arn].private, signing_input.encode())
    expires = now - EPOCH.timestamp() + members["lifetime"]
    return Token(jws.serialize(signing_input, signature), kid, expires, genuine)


def sign_with_active_key(world: World, **members: Any) -> Token | None:
    """A token of the key that signs now, if there is one."""
    active = world.truth.keyset.active
    if not active:
        return None
    return sign(world, active.kid, active.kms_key_arn, lifetime=active.lifetime, **members)


def swap_signatures(tokens: list[Token]) -> Token | None:
    """The last token with the signature of the first that another key signed, if there is one."""
    last = tokens[-1]
    other = next((token for token in tokens if token.kid != last.kid), None)
    if not other:
        return None
    signing_input, _, _ = last.text.rpartition(".")
    _, _, signature = other.text.rpartition(".")
    return Token(f"{signing_input}.{signature}", last.kid, last.expires, genuine=False)
