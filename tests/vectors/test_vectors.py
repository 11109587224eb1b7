"""Tokens nobody should accept, one by one, at the verifier and through the whole authorizer."""

from collections import Counter
from pathlib import Path

import pytest

from keyturn.tokens.errors import Code, TokenRefused
from tests.vectors.recipe import NOW, load, make
from tests.vectors.worlds import EVENTS

FOLDER = Path(__file__).parent
NOT_TOKENS = {"authorization_headers", "authorizer_events"}
FILES = {p.stem: load(p) for p in sorted(FOLDER.glob("*.json")) if p.stem not in NOT_TOKENS}
CASES = [
    pytest.param(file, case, id=f"{file}: {case['name']}")
    for file, cases in FILES.items()
    for case in cases
]
FIELDS = {"header", "payload", "signature", "text", "edits", "world", "at", "gateway"}


@pytest.fixture(scope="session")
def token(keys):
    """The text of a case's token, made once."""
    made = {}

    def token(case) -> str:
        if case["name"] not in made:
            made[case["name"]] = make(case, keys)
        return made[case["name"]]

    return token


@pytest.mark.parametrize(("file", "case"), CASES)
def test_the_verifier_says(file, case, token, worlds, tally):
    """The one code that is right, or the claims; at most one look-up and one RSA verification."""
    tally.cases.add((file, case["name"]))
    world, now = worlds[case.get("world", "usual")], NOW + case.get("at", 0)
    try:
        world.verify(token(case), now)
        said = "accept"
    except TokenRefused as refused:
        said = refused.code.value
    tally.verifications = max(tally.verifications, world.verifications)
    assert said == case["expect"], case["why"]
    assert world.lookups <= 1
    assert world.verifications <= 1


@pytest.mark.parametrize(("file", "case"), CASES)
def test_the_authorizer_says(file, case, token, worlds, tally, authorizer):
    """Unauthorized from each kind of API, for the same reason, and no text of it in the log."""
    tally.cases.add((file, case["name"]))
    world, now = worlds[case.get("world", "usual")], NOW + case.get("at", 0)
    text, code = token(case), case.get("gateway", case["expect"])
    for kind, event in EVENTS.items():
        said = authorizer.ask(event(f"Bearer {text}"), world, now)
        assert (kind, said) == (kind, "allow" if code == "accept" else "unauthorized")
    assert authorizer.codes == ([] if code == "accept" else [code] * len(EVENTS))
    written = "".join(authorizer.written)
    assert not [part for part in text.split(".") if len(part) > 12 and part in written]


def test_there_are_enough_cases_each_with_a_name_and_a_reason():
    """At least 350, no two of one name; a case says nothing that the recipe does not know."""
    cases = [case for cases in FILES.values() for case in cases]
    names = Counter(case["name"] for case in cases)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(cases) >= 350
    for case in cases:
        assert case["expect"] in {*Code, "accept"}
        assert len(case["why"]) > 15, case["name"]
        assert set(case) <= {"name", "expect", "why", *FIELDS}, case["name"]


def test_no_two_cases_are_the_same_token(token):
    """Another name is not yet another case."""
    cases = [case for cases in FILES.values() for case in cases]
    same = Counter((token(c), c.get("world"), c.get("at")) for c in cases)
    assert [count for count in same.values() if count > 1] == []


def test_every_code_of_the_verifier_has_cases():
    """Two are not the verifier's to say: it is told no text at all, and no cut-offs."""
    expected = {case["expect"] for cases in FILES.values() for case in cases}
    assert expected == {*Code, "accept"} - {Code.MISSING, Code.CUT_OFF}
    assert Code.CUT_OFF in {case.get("gateway") for cases in FILES.values() for case in cases}
