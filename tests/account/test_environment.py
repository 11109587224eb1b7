"""A function's environment holds 4 KB, and CheckSettings says so before Lambda does."""

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.settings import InvalidSettings
from keyturn.rotation import check_settings
from keyturn.rotation.check_settings import ENVIRONMENT_LIMIT, environment, environment_size
from tests.account.resolve import Deployment
from tests.definition import snake
from tests.periods import DEFAULTS
from tests.synthesized import Template, mutated, synthesized

SETTINGS = {
    "stack": "demo",
    "bucket": "keyturn-demo",
    "audience": "orders",
    "deletion_window": "30",
    "times": json.dumps(asdict(DEFAULTS), separators=(",", ":")),
    "role_prefix": "arn:aws:iam::123456789012:role/keyturn/us-east-1/demo/",
}


def _properties(template: Template) -> dict[str, Any]:
    properties: dict[str, Any] = Deployment(template).resources("Custom::KeyturnSettings")[
        "CheckSettings"
    ]
    return properties


def unmeasured(template: Template) -> set[tuple[str, str]]:
    """Variables that the template gives to a function and CheckSettings does not count, or the reverse."""
    shared, own = environment(_properties(template))
    counted: set[tuple[str, str]] = set()
    declared: set[tuple[str, str]] = set()
    for name, function in Deployment(template).resources("AWS::Lambda::Function").items():
        if variables := function.get("Environment", {}).get("Variables"):
            declared |= {(name, variable) for variable in variables}
            counted |= {(name, variable) for variable in {**shared, **own.get(name, {})}}
    return declared ^ counted


def test_every_variable_of_every_function_is_counted() -> None:
    """A new one in template.yaml is a new one in CheckSettings."""
    assert unmeasured(dict(synthesized())) == set()

    def add(template: Template) -> None:
        function = template["Resources"]["WhoamiFunction"]["Properties"]
        function["Environment"]["Variables"]["KEYTURN_NEW"] = "x"

    assert unmeasured(mutated(add)) == {("WhoamiFunction", "KEYTURN_NEW")}


def test_every_parameter_that_fills_it_is_measured() -> None:
    """CheckSettings is given each parameter whose length anybody chooses."""
    parameters = {"DomainName", "Audience", "RouteScopes"}
    properties = _properties(dict(synthesized()))
    assert {
        snake(name) for name in parameters | {"FlushTargets", "FormerIssuer"}
    } <= properties.keys()


def test_the_size_is_that_of_lambdas_own_message() -> None:
    """Names and values as one JSON object, in bytes.

    Source: Lambda Developer Guide, "Lambda quotas", environment variables: 4 KB in aggregate; its error
    says "String measured: {…}".
    """
    assert environment_size({"A": "1", "B": "ä"}) == len('{"A":"1","B":"ä"}'.encode()) == 18


def _check(route_scopes: str) -> None:
    """CheckSettings with this one setting; raises InvalidSettings."""
    properties = {**SETTINGS, "route_scopes": route_scopes}
    event = SimpleNamespace(request_type="Create", properties=properties)
    check_settings.run(event)  # type: ignore[arg-type]


def _routes_of(size: int) -> str:
    """Routes with which the largest environment has this size."""
    short = "GET /a=orders:read"
    shared, own = environment({**SETTINGS, "route_scopes": short})
    known = max(environment_size({**shared, **variables}) for variables in own.values())
    return f"GET /a={' ' * (size - known)}orders:read"


def test_what_fills_it_to_the_last_byte_is_accepted() -> None:
    """4,096 bytes are allowed."""
    _check(_routes_of(ENVIRONMENT_LIMIT))


def test_one_byte_more_is_refused_with_the_figure(monkeypatch) -> None:
    """The longest setting is named; with no such limit it would pass, and Lambda refuse it later."""
    with pytest.raises(InvalidSettings, match="the settings take 4,097 bytes") as refusal:
        _check(_routes_of(ENVIRONMENT_LIMIT + 1))
    assert "The longest is KEYTURN_ROUTE_SCOPES with" in str(refusal.value)
    monkeypatch.setattr(check_settings, "ENVIRONMENT_LIMIT", 10**6)
    _check(_routes_of(ENVIRONMENT_LIMIT + 1))
