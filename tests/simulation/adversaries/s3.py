"""An adversary with `s3:PutObject` on the public documents, who shows other keys to verifiers elsewhere.

The bound is the next step of a rotation, or the next reconcile: then the JWKS is the keyset's again, byte
for byte (S13: Play.finish).
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from keyturn.aws.keyset.well_known import JWKS
from tests.cloud.s3 import Version
from tests.simulation.play import Play

_FOREIGN = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "foreign", "n": "AQAB", "e": "AQAB"}
Document = dict[str, Any]


def who_may_write_the_jwks(play: Play, choose: Random) -> None:
    """With our own metadata, or a number that is still to come. (A lost keyset is misfortune enough.)"""
    world = play.world
    shown, keyset = world.s3.version(JWKS, world.now()), world.truth.keyset
    if shown is None or any(keyset.find(kid) is None for kid in world.jwks.shown):
        return
    document = choose.choice(_DOCUMENTS)(json.loads(shown.body))
    number = world.truth.head.number
    claimed = choose.choice((shown.metadata["keyturn-generation"], number, number + 1, number + 7))
    metadata = {"keyturn-generation": str(claimed)}
    body = json.dumps(document, separators=(",", ":")).encode()
    version = Version(world.now(), body, metadata, shown.cache_control)
    world.s3.objects[JWKS].append(version)  # the watch sees what the product writes
    world.jwks.is_tampered = True


def _foreign_key(document: Document) -> Document:
    return {**document, "keys": [*document["keys"], _FOREIGN]}


def _no_keys(document: Document) -> Document:
    return {**document, "keys": []}


def _another_member(document: Document) -> Document:
    return {**document, "x5u": "https://evil.example"}


def _nothing_like_it(_document: Document) -> Document:
    return {"keys": "none"}


_DOCUMENTS: tuple[Callable[[Document], Document], ...] = (
    _foreign_key,
    _no_keys,
    _another_member,
    _nothing_like_it,
)
