"""What a call leaves in the log: Lambda's own lines only where something went wrong."""

import json
import re

import pytest

from keyturn.api.gateway import Unauthorized
from keyturn.aws.telemetry import Decision, log_decision
from tests.account.resolve import Deployment
from tests.lambda_log import Logging, size
from tests.synthesized import Template, mutated, synthesized
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, make
from tests.vectors.worlds import World, rest_token


def logging(template: Template) -> dict[str, Logging]:
    """Each function's; raises ValueError where Lambda refuses the configuration."""
    configs = {
        name: function["LoggingConfig"]
        for name, function in Deployment(template).resources("AWS::Lambda::Function").items()
    }
    for name, config in configs.items():
        if config.get("LogFormat", "Text") == "Text" and "SystemLogLevel" in config:
            raise ValueError(f"{name}: levels need the JSON format")
    return {
        name: Logging(config.get("LogFormat") == "JSON", config.get("SystemLogLevel", "INFO"))
        for name, config in configs.items()
    }


def test_a_call_that_ends_well_leaves_no_line_of_lambdas() -> None:
    """START, END and REPORT are as long as our own line, and say nothing that a metric does not.

    Source: Lambda Developer Guide, "Log-level filtering" (start and report are INFO).
    """
    assert {name: config.lines() for name, config in logging(dict(synthesized())).items()} == {
        name: [] for name in Deployment(dict(synthesized())).resources("AWS::Lambda::Function")
    }


def test_levels_need_the_json_format() -> None:
    """Lambda refuses a level for text, at the first deployment.

    Source: Lambda Developer Guide, "Log-level filtering"; API Reference, LoggingConfig.
    """

    def forget(template: Template) -> None:
        del template["Resources"]["AuthorizeFunction"]["Properties"]["LoggingConfig"]["LogFormat"]

    with pytest.raises(ValueError, match="AuthorizeFunction"):
        logging(mutated(forget))


def test_a_function_without_the_level_is_noticed() -> None:
    """A plain function does not inherit it from Globals."""

    def forget(template: Template) -> None:
        config = template["Resources"]["CheckSettingsFunction"]["Properties"]["LoggingConfig"]
        del config["SystemLogLevel"]

    assert logging(mutated(forget))["CheckSettingsFunction"].lines() != []


def test_a_401_is_one_short_line_beside_the_decision(monkeypatch) -> None:
    """The runtime logs what a handler raises with every frame from the handler on, and their source.

    A REST API takes 401 from the exception `Unauthorized` alone, so one frame is what is left.
    Source: API Gateway Developer Guide, "Configure a Lambda authorizer"; awslambdaric, bootstrap.py.
    """
    from keyturn.api import authorize
    from keyturn.aws.stack import Stack

    keys = Keys.generate()
    stack = World(keys).stack(NOW + 100_000)  # where the token has expired
    monkeypatch.setattr(Stack, "from_environment", lambda: stack)
    with pytest.raises(Unauthorized) as raised:
        authorize.handler(rest_token(f"Bearer {make({}, keys)}"), _Context)
    [line] = logging(dict(synthesized()))["AuthorizeFunction"].lines(raised.value)
    [frame] = json.loads(line)["stackTrace"]
    assert frame.endswith("\n    raise Unauthorized\n")
    assert json.loads(line)["errorMessage"] == "Unauthorized"
    assert size([line]) < 320


class _Context:
    aws_request_id = "request-1"


def counted(template: Template, line: dict[str, str]) -> dict[str, str] | None:
    """The dimensions with which the filter counts a line, None if it does not.

    Source: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters" (JSON log events,
    terms in parentheses joined by ||) and "Publishing dimensions with metrics".
    """
    [log_filter] = Deployment(template).resources("AWS::Logs::MetricFilter").values()
    pattern = log_filter["FilterPattern"]
    terms = re.findall(r'\(\$\.(\w+) = "([^"]*)"\)', pattern)
    assert pattern == "{ " + " || ".join(f'($.{name} = "{value}")' for name, value in terms) + " }"
    if not any(line.get(name) == value for name, value in terms):
        return None
    [metric] = log_filter["MetricTransformations"]
    assert len(metric["Dimensions"]) <= 3
    return {pair["Key"]: line[pair["Value"].removeprefix("$.")] for pair in metric["Dimensions"]}


@pytest.mark.parametrize("decision", Decision)
def test_each_decision_is_counted_by_code_and_key_state(decision, capsys) -> None:
    """A filter finds a line's members by name, and a dimension that is missing counts nothing."""
    log_decision(decision, code="key_revoked", key_state="revoked", kid="k" * 43)
    line = json.loads(capsys.readouterr().out)
    expected = {"service": "keyturn", "code": "key_revoked", "key_state": "revoked"}
    assert counted(dict(synthesized()), line) == expected
    assert counted(dict(synthesized()), {"message": "token_issued"}) is None


def test_a_filter_that_misses_a_decision_is_noticed() -> None:
    """Another word for the decision in the filter is noticed."""

    def change(template: Template) -> None:
        decisions = template["Resources"]["Decisions"]["Properties"]
        decisions["FilterPattern"] = '{ ($.message = "accepted") }'

    assert counted(mutated(change), {"message": "refused"}) is None
