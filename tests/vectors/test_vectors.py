"""Tokens that must be refused, one by one, by the verifier and by the whole authorizer."""

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
    by_name = {}

    def token(case) -> str:
        if case["name"] not in by_name:
            by_name[case["name"]] = make(case, keys)
        return by_name[case["name"]]

    return token


@pytest.mark.parametrize(("file", "case"), CASES)
def test_the_verdict_of_the_verifier(file, case, token, worlds, tally):
    """The verifier answers with the expected code or the claims, after at most one look-up and one RSA verification."""
    tally.cases.add((file, case["name"]))
    world, now = worlds[case.get("world", "usual")], NOW + case.get("at", 0)
    try:
        world.verify(token(case), now)
        verdict = "accept"
    except TokenRefused as refused:
        verdict = refused.code.value
    tally.verifications = max(tally.verifications, world.verifications)
    assert verdict == case["expect"], case["why"]
    assert world.lookups <= 1
    assert world.verifications <= 1


@pytest.mark.parametrize(("file", "case"), CASES)
def test_the_answer_of_the_authorizer(file, case, token, worlds, tally, authorizer):
    """Each kind of API gets Unauthorized with the same reason, and the log has no part of the token."""
    tally.cases.add((file, case["name"]))
    world, now = worlds[case.get("world", "usual")], NOW + case.get("at", 0)
    text, code = token(case), case.get("gateway", case["expect"])
    for kind, event in EVENTS.items():
        answer = authorizer.ask(event(f"Bearer {text}"), world, now)
        assert (kind, answer) == (kind, "allow" if code == "accept" else "unauthorized")
    assert authorizer.codes == ([] if code == "accept" else [code] * len(EVENTS))
    written = "".join(authorizer.written)
    assert not [part for part in text.split(".") if len(part) > 12 and part in written]


def test_there_are_enough_cases_each_with_a_name_and_a_reason():
    """There are at least 350, with unique names, and only members that a recipe knows."""
    cases = [case for cases in FILES.values() for case in cases]
    names = Counter(case["name"] for case in cases)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(cases) >= 350
    for case in cases:
        assert case["expect"] in {*Code, "accept"}
        assert len(case["why"]) > 15, case["name"]
        assert set(case) <= {"name", "expect", "why", *FIELDS}, case["name"]


def test_no_two_cases_are_the_same_token(token):
    """Cases differ in the token, the keyset or the time."""
    cases = [case for cases in FILES.values() for case in cases]
    same = Counter((token(c), c.get("world"), c.get("at")) for c in cases)
    assert [count for count in same.values() if count > 1] == []


def test_every_code_of_the_verifier_has_cases():
    """Every code has cases, except the two that the verifier cannot give: a missing token, and cut-offs."""
    expected = {case["expect"] for cases in FILES.values() for case in cases}
    assert expected == {*Code, "accept"} - {Code.MISSING, Code.CUT_OFF}
    assert Code.CUT_OFF in {case.get("gateway") for cases in FILES.values() for case in cases}
