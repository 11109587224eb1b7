"""A condition compares text."""

import pytest

from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized

_COMPARING = ("Fn::Equals", "Fn::Contains")


def literals_that_are_no_text(template: Template) -> list[object]:
    """Numbers and booleans that a condition or a rule compares with something."""
    wrong: list[object] = []
    waiting: list[object] = [template["Conditions"], template.get("Rules", {})]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for name, part in node.items():
                if name in _COMPARING:
                    wrong += [v for v in part if not isinstance(v, str | dict | list)]
                waiting.append(part)
        elif isinstance(node, list):
            waiting += node
    return wrong


def with_a_number(template: Template) -> None:
    """`!Equals [!Ref ResultTtl, 0]`."""
    template["Conditions"]["CachesResults"] = {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ResultTtl"}, 0]}]
    }


def test_a_number_is_compared_as_text() -> None:
    """`!Equals [!Ref N, 0]` is never true under AWS::LanguageExtensions.

    Source: aws-cloudformation/cfn-language-discussion, issue 153.
    """
    assert literals_that_are_no_text(dict(synthesized())) == []
    assert literals_that_are_no_text(mutated(with_a_number)) == [0]


@pytest.mark.parametrize(("result_ttl", "targets"), [("0", "a/v1"), ("60", "<Api>/v1,a/v1")])
def test_an_api_that_caches_nothing_is_not_flushed(result_ttl: str, targets: str) -> None:
    """With `ResultTtl=0`, the default, FlushAuthorizers gets the other APIs' stages only."""
    parameters = {"ResultTtl": result_ttl, "FlushTargets": "a/v1"}

    def flush_targets(template: Template) -> str:
        functions = Deployment(template, parameters).resources("AWS::Lambda::Function")
        variables = functions["FlushAuthorizersFunction"]["Environment"]["Variables"]
        return str(variables["KEYTURN_FLUSH_TARGETS"])

    assert flush_targets(dict(synthesized())) == targets
    assert flush_targets(mutated(with_a_number)) == "<Api>/v1,a/v1"
