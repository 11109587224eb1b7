"""PyJWT and joserfc accept every token that we accept, with the same claims."""

import random
import string
from pathlib import Path

import pytest

from tests.vectors.agreement import Peers
from tests.vectors.issued import SIGNERS, build_claims, is_same, issue
from tests.vectors.recipe import LIFETIMES, NOW, load, make

FOLDER = Path(__file__).parent
CONTROLS = [
    case for file in FOLDER.glob("*.json") for case in load(file) if case["expect"] == "accept"
]
TOKENS = 1_200
_CHARACTERS = string.printable + 'äßéñ東京Ωж\u0000\u007f\u00a0\u2028\ufeff\uffff🔑\U0010ffff"\\/'


@pytest.mark.parametrize("case", CONTROLS, ids=lambda case: case["name"])
def test_the_libraries_accept_the_controls(case, keys, world, tally):
    """However unusual an accepted token is, the other libraries accept it as well."""
    _agree(make(case, keys), keys, world, NOW + case.get("at", 0))
    tally.agreed += 1


def test_the_libraries_accept_what_we_make(keys, world, tally):
    """Our tokens may have claims of any Unicode text and any nesting."""
    rng = random.Random("agreement")
    for number in range(TOKENS):
        signer = rng.choice(SIGNERS)
        claims = build_claims(
            jti=f"id-{number}",
            subject=_text(rng, 1),
            client_id=_text(rng, 1),
            lifetime=rng.randint(1, LIFETIMES[signer]),
            scope=rng.choice(("", "orders:read", "orders:read orders:write")),
            extra={f"x{_text(rng, 0)}": _value(rng, 3) for _ in range(rng.randint(0, 4))},
        )
        accepted = _agree(issue(keys, signer, claims), keys, world, NOW)
        assert is_same(accepted, claims), f"token {number}"
        tally.agreed += 1


def _agree(token, keys, world, now):
    accepted = world.verify(token, now)
    peers = Peers(keys, now)
    assert is_same(peers.pyjwt(token), accepted)
    assert is_same(peers.joserfc(token), accepted)
    return accepted


def _text(rng, least) -> str:
    return "".join(rng.choices(_CHARACTERS, k=rng.randint(least, 12)))


def _value(rng, depth):
    kinds = ["text", "integer", "float", "word", *(["list", "object"] if depth else [])]
    match rng.choice(kinds):
        case "text":
            return _text(rng, 0)
        case "integer":
            return rng.choice((0, -1, 2**53 + 1, -(2**64), 10**40, rng.randint(-1000, 1000)))
        case "float":
            return rng.choice((0.0, -0.0, 1.5, 1e308, 5e-324, -1e-7, rng.random()))
        case "word":
            return rng.choice((True, False, None))
        case "list":
            return [_value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
        case _:
            return {_text(rng, 0): _value(rng, depth - 1) for _ in range(rng.randint(0, 3))}
