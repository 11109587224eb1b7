"""`keyturn verify` and the authorizer are of one mind about every token that nobody should accept."""

import pytest

from keyturn.cli.verify.explanation import explain
from keyturn.tokens.errors import Code
from tests.vectors.recipe import NOW
from tests.vectors.test_vectors import CASES, token  # noqa: F401 - a fixture


@pytest.mark.parametrize(("file", "case"), CASES)
def test_the_first_check_that_fails_is_the_authorizers_reason(file, case, token, worlds, tally):  # noqa: F811
    """An accepted token passes every check; a refused one fails, and first at what it is refused for."""
    tally.cases.add((file, case["name"]))
    world, now = worlds[case.get("world", "usual")], NOW + case.get("at", 0)
    found = explain(world.stack(now), token(case))
    code = Code.CUT_OFF if case.get("gateway") == Code.CUT_OFF else case["expect"]
    if code == "accept":
        assert found.verdict == "ok"
        assert [check.name for check in found.checks if not check.passed] == []
        return
    assert found.verdict == code, case["why"]
    failed = [check for check in found.checks if check.passed is False]
    assert failed, case["why"]
    assert failed[0].code == found.verdict, failed
