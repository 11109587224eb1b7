"""`keyturn verify` and the authorizer agree about every token of the vectors."""

import pytest

from keyturn.cli.verify.explanation import explain
from keyturn.tokens.errors import Code
from tests.vectors.recipe import NOW
from tests.vectors.test_vectors import CASES, token  # noqa: F401 - a fixture


@pytest.mark.parametrize(("file", "case"), CASES)
def test_the_first_check_that_fails_is_the_authorizers_reason(file, case, token, worlds, tally):  # noqa: F811
    """An accepted token passes every check; a refused one fails first at the authorizer's reason."""
    tally.cases.add((file, case["name"]))
    world, now = worlds[case.get("world", "usual")], NOW + case.get("at", 0)
    explanation = explain(world.stack(now), token(case))
    code = Code.CUT_OFF if case.get("gateway") == Code.CUT_OFF else case["expect"]
    if code == "accept":
        assert explanation.verdict == "ok"
        assert [check.name for check in explanation.checks if not check.passed] == []
        return
    assert explanation.verdict == code, case["why"]
    failed = [check for check in explanation.checks if check.passed is False]
    assert failed, case["why"]
    assert failed[0].code == explanation.verdict, failed
