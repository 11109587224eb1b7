"""Mutants of good tokens: 50,000 a run, a million with FULL=1. What decides is `oracle.lawful`."""

import os
import random
from dataclasses import dataclass
from typing import Any

import pytest

from keyturn.tokens.errors import TokenRefused
from tests.vectors import mutation
from tests.vectors.agreement import Peers
from tests.vectors.issued import SIGNERS, build_claims, is_same, issue, sign_segments
from tests.vectors.oracle import TooDeep, lawful
from tests.vectors.recipe import LIFETIMES, NOW
from tests.vectors.worlds import EVENTS

MUTANTS = 1_000_000 if os.environ.get("FULL") else 50_000
BATCHES = 20
THROUGH_THE_HANDLER = 25  # every so many mutants
EXTRAS: tuple[dict[str, Any], ...] = (
    {},
    {"tenant": "Zoë"},
    {"q": [1, -2.5, None, {"r": "🔑"}]},
    {"a": {"b": {"c": [[]]}}},
)


@dataclass(frozen=True)
class Mutant:
    """A text to verify, and how to reproduce it."""

    text: str
    resigned: bool
    story: str


@pytest.fixture(scope="session")
def originals(keys) -> list[tuple[str, str]]:
    """Good tokens, each with the name of its key."""
    return [
        (issue(keys, name, build_claims(jti=f"{name}-{number}", extra=extra)), name)
        for name in SIGNERS
        for number, extra in enumerate(EXTRAS)
    ]


@pytest.fixture(scope="session")
def peers(keys) -> Peers:
    """The libraries to agree with."""
    return Peers(keys, NOW)


def _mutants(seed, originals, keys):
    rng = random.Random(seed)
    for number in range(MUTANTS // BATCHES):
        (token, name), (other, _) = rng.choice(originals), rng.choice(originals)
        resigned = rng.random() < 0.5
        if resigned:
            signer = name if rng.random() < 0.95 else rng.choice((*SIGNERS, "retired", "stranger"))
            text = sign_segments(keys, signer, ".".join(mutation.to_sign(rng, token)))
        else:
            text = mutation.unsigned(rng, token, other)
        yield Mutant(text, resigned, f"seed {seed}, mutant {number}, from {token}")


def _verified(text, world):
    """The claims that the verifier accepts, or None."""
    world.lookups = world.verifications = 0
    try:
        return world.verify(text, NOW)
    except TokenRefused:
        return None


@pytest.mark.parametrize("seed", range(BATCHES))
def test_only_the_lawful_is_accepted(seed, originals, keys, world, peers, tally, authorizer):
    """A mutant is accepted if and only if it breaks no rule, and then with the claims that it has.

    Without a new signature that is the original alone. Nothing but TokenRefused is raised; each
    costs one look-up and one RSA verification at most; PyJWT and joserfc agree with what we accept;
    the handler says the same to every kind of event.
    """
    genuine = {token for token, _ in originals}
    for number, mutant in enumerate(_mutants(seed, originals, keys)):
        accepted = _verified(mutant.text, world)
        tally.mutants += 1
        tally.resigned += mutant.resigned
        tally.verifications = max(tally.verifications, world.verifications)
        try:
            expected = lawful(mutant.text, keys, NOW)
        except TooDeep:
            continue
        unlawful = expected is None or not (mutant.resigned or mutant.text in genuine)
        tally.wrongly_accepted += accepted is not None and unlawful
        assert is_same(accepted, expected), f"{mutant.story}: {mutant.text!r}"
        assert accepted is None or not unlawful, f"{mutant.story}: {mutant.text!r}"
        assert world.lookups <= 1, mutant.story
        assert world.verifications <= 1, mutant.story
        if accepted is not None and mutant.resigned:
            tally.lawful += 1
            assert is_same(peers.pyjwt(mutant.text), accepted), mutant.story
            assert is_same(peers.joserfc(mutant.text), accepted), mutant.story
            tally.agreed += 1
        if number % THROUGH_THE_HANDLER == 0 and not mutant.text.startswith(" "):
            for event in EVENTS.values():
                answer = authorizer.ask(event(f"Bearer {mutant.text}"), world)
                assert answer == ("unauthorized" if accepted is None else "allow"), mutant.story


def test_mutants_are_of_every_kind(originals, keys):
    """Some mutants are lawful, most are not, and few are the original."""
    genuine = {token for token, _ in originals}
    rng = random.Random("kinds")
    pool = originals * 80
    resigned = [
        sign_segments(keys, name, ".".join(mutation.to_sign(rng, token))) for token, name in pool
    ]
    good = sum(lawful(text, keys, NOW) is not None for text in resigned)
    assert len(pool) // 20 < good < len(pool) // 2
    texts = [mutation.unsigned(rng, token, rng.choice(originals)[0]) for token, _ in pool]
    assert sum(text in genuine for text in texts) < len(texts) // 5


def test_the_fuzzer_signs_with_keys_of_the_keyset():
    """A key that is renamed in the recipes is renamed in the fuzzer as well."""
    assert set(SIGNERS) < set(LIFETIMES)
