"""Mutants of good tokens: 50,000 a run, a million with FULL=1. What decides is `oracle.lawful`."""

import json
import os
import random
from dataclasses import dataclass
from typing import Any

import pytest

from keyturn.tokens import claims, jws
from keyturn.tokens.errors import TokenRefused
from tests.vectors import mutation
from tests.vectors.agreement import Peers
from tests.vectors.keys import base64url
from tests.vectors.oracle import TooDeep, lawful
from tests.vectors.recipe import AUDIENCE, ISSUER, LIFETIMES, NOW
from tests.vectors.signatures import sign
from tests.vectors.worlds import EVENTS

MUTANTS = 1_000_000 if os.environ.get("FULL") else 50_000
BATCHES = 20
THROUGH_THE_HANDLER = 25  # every so many mutants
SIGNERS = ("active", "standby", "grace")
EXTRAS: tuple[dict[str, Any], ...] = (
    {},
    {"tenant": "Zoë"},
    {"q": [1, -2.5, None, {"r": "🔑"}]},
    {"a": {"b": {"c": [[]]}}},
)


@dataclass(frozen=True)
class Mutant:
    """A text to judge, and what to say of it when it was judged wrongly."""

    text: str
    resigned: bool
    story: str


@pytest.fixture(scope="session")
def originals(keys) -> list[tuple[str, str]]:
    """Good tokens, each with the name of its key."""
    return [
        (_token(keys, name, f"{name}-{number}", extra), name)
        for name in SIGNERS
        for number, extra in enumerate(EXTRAS)
    ]


@pytest.fixture(scope="session")
def peers(keys) -> Peers:
    """The libraries to agree with."""
    return Peers(keys, NOW)


def _token(keys, name, jti, extra) -> str:
    made = claims.build(
        issuer=ISSUER,
        subject="user-1",
        audience=AUDIENCE,
        client_id="shop",
        jti=jti,
        now=NOW,
        lifetime=600,
        scope="orders:read",
        extra=extra,
    )
    return _signed(keys, name, *jws.build_signing_input(keys.kid(name), made).split("."))


def _signed(keys, name, header, payload) -> str:
    signed = f"{header}.{payload}"
    return f"{signed}.{base64url(sign({'key': name}, signed, b'', keys))}"


def _mutants(seed, originals, keys):
    rng = random.Random(seed)
    for number in range(MUTANTS // BATCHES):
        (token, name), (other, _) = rng.choice(originals), rng.choice(originals)
        resigned = rng.random() < 0.5
        if resigned:
            signer = name if rng.random() < 0.95 else rng.choice((*SIGNERS, "retired", "stranger"))
            text = _signed(keys, signer, *mutation.to_sign(rng, token))
        else:
            text = mutation.unsigned(rng, token, other)
        yield Mutant(text, resigned, f"seed {seed}, mutant {number}, from {token}")


def _verified(text, world):
    """What the verifier says."""
    world.lookups = world.verifications = 0
    try:
        return world.verify(text, NOW)
    except TokenRefused:
        return None


@pytest.mark.parametrize("seed", range(BATCHES))
def test_only_the_lawful_is_accepted(seed, originals, keys, world, peers, tally, authorizer):
    """A mutant is accepted if and only if it breaks no rule, and then as the claims it has.

    Without a new signature that is the original alone. Nothing but TokenRefused is raised; each
    costs one look-up and one RSA verification at most; PyJWT and joserfc agree with what we accept;
    the handler says the same to every kind of event.
    """
    genuine = {token for token, _ in originals}
    for number, mutant in enumerate(_mutants(seed, originals, keys)):
        said = _verified(mutant.text, world)
        tally.mutants += 1
        tally.resigned += mutant.resigned
        tally.verifications = max(tally.verifications, world.verifications)
        try:
            right = lawful(mutant.text, keys, NOW)
        except TooDeep:
            continue
        unlawful = right is None or not (mutant.resigned or mutant.text in genuine)
        tally.wrongly_accepted += said is not None and unlawful
        assert _same(said, right), f"{mutant.story}: {mutant.text!r}"
        assert said is None or not unlawful, f"{mutant.story}: {mutant.text!r}"
        assert world.lookups <= 1, mutant.story
        assert world.verifications <= 1, mutant.story
        if said is not None and mutant.resigned:
            tally.lawful += 1
            assert _same(peers.pyjwt(mutant.text), said), mutant.story
            assert _same(peers.joserfc(mutant.text), said), mutant.story
            tally.agreed += 1
        if number % THROUGH_THE_HANDLER == 0 and not mutant.text.startswith(" "):
            for event in EVENTS.values():
                answer = authorizer.ask(event(f"Bearer {mutant.text}"), world)
                assert answer == ("unauthorized" if said is None else "allow"), mutant.story


def _same(theirs, ours) -> bool:
    """Equal in value and in type: 1, 1.0 and true are different claims."""
    return json.dumps(theirs, sort_keys=True) == json.dumps(ours, sort_keys=True)


def test_mutants_are_of_every_kind(originals, keys):
    """The mutations are no idle ones: some are lawful, most are not, few are the original."""
    genuine = {token for token, _ in originals}
    rng = random.Random("kinds")
    pool = originals * 80
    resigned = [_signed(keys, name, *mutation.to_sign(rng, token)) for token, name in pool]
    good = sum(lawful(text, keys, NOW) is not None for text in resigned)
    assert len(pool) // 20 < good < len(pool) // 2
    texts = [mutation.unsigned(rng, token, rng.choice(originals)[0]) for token, _ in pool]
    assert sum(text in genuine for text in texts) < len(texts) // 5


def test_the_oracle_knows_the_keys_that_count():
    """Whoever adds a key to the vectors' keyset tells the fuzzer."""
    assert set(SIGNERS) < set(LIFETIMES)
