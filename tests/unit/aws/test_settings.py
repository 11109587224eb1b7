"""Settings from the environment, and the one Stack of a container."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from keyturn.access.routes import RouteTable
from keyturn.aws.gateway_cache import Stage
from keyturn.aws.settings import InvalidSettings, Settings
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import ContradictorySettings


@pytest.fixture
def environ(demo_times):
    """The environment that template.yaml sets for a function."""
    return {
        "KEYTURN_STACK": "demo",
        "KEYTURN_BUCKET": "keyturn-demo",
        "KEYTURN_ISSUER": "https://issuer.example",
        "KEYTURN_AUDIENCE": "orders",
        "KEYTURN_ROUTE_SCOPES": "GET /orders=orders:read",
        "KEYTURN_DELETION_WINDOW": "7",
        "KEYTURN_TIMES": json.dumps(asdict(demo_times)),
        "KEYTURN_ROLE_PREFIX": "arn:aws:iam::123456789012:role/keyturn/us-east-1/demo/",
        "PATH": "/bin",
    }


def with_times(environ, times, **changes):
    """The environment with other periods."""
    return {**environ, "KEYTURN_TIMES": json.dumps({**asdict(times), **changes})}


def test_settings_come_from_the_environment(environ, demo_times):
    """Texts are parsed."""
    settings = Settings.from_environ(environ)
    assert settings.stack == "demo"
    assert settings.route_scopes == RouteTable.parse({"GET /orders": "orders:read"})
    assert (settings.deletion_window, settings.times) == (7, demo_times)
    assert Stack(settings).expectations("orders").former_issuer == ""


def test_some_functions_have_further_settings(environ):
    """They are the stages to flush, a former issuer, and the JWKS's origin."""
    further = {
        "KEYTURN_FLUSH_TARGETS": "a1/v1,http:b2/$default,",
        "KEYTURN_FORMER_ISSUER": "https://former.example",
        "KEYTURN_JWKS_ORIGIN": "https://d111.cloudfront.net",
    }
    settings = Settings.from_environ({**environ, **further})
    assert settings.flush_targets == (Stage("a1", "v1"), Stage("b2", "$default", is_http=True))
    assert settings.jwks_origin == "https://d111.cloudfront.net"
    expected = Stack(settings).expectations("orders")
    issuers = (expected.issuer, expected.former_issuer)
    assert issuers == ("https://issuer.example", "https://former.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STACK", None),
        ("BUCKET", ""),
        ("AUDIENCE", ""),
        ("DELETION_WINDOW", "6"),
        ("DELETION_WINDOW", "31"),
        ("TIMES", "{}"),
        ("TIMES", "soon"),
        ("ROLE_PREFIX", None),
        ("ROLE_PREFIX", "role/keyturn/us-east-1/demo/"),
        ("ROLE_PREFIX", "arn:aws:iam::123456789012:role/keyturn/us-east-1/demo"),
        ("ROLE_PREFIX", "arn:aws:iam:role/keyturn/us-east-1/demo/"),
        ("ROUTE_SCOPES", "GET /orders"),
        ("ROUTE_SCOPES", "GET /orders/*=orders:read"),
    ],
)
def test_an_invalid_setting_is_refused_by_name(environ, name, value):
    """The message begins with it; None means that the variable is not set."""
    changed = {**environ, f"KEYTURN_{name}": value}
    settings = {variable: text for variable, text in changed.items() if text is not None}
    with pytest.raises(InvalidSettings, match=f"^{name.lower()}"):
        Settings.from_environ(settings)


def test_all_invalid_settings_are_named_at_once(environ):
    """One deployment finds all mistakes."""
    with pytest.raises(InvalidSettings, match=r"^bucket: .*; deletion_window: "):
        Settings.from_environ({**environ, "KEYTURN_BUCKET": "", "KEYTURN_DELETION_WINDOW": "6"})


def test_periods_may_be_texts(environ, demo_times):
    """The parameters of a CloudFormation stack are texts, whatever their type."""
    texts = {name: str(seconds) for name, seconds in asdict(demo_times).items()}
    assert Settings.from_environ(with_times(environ, demo_times, **texts)).times == demo_times


@pytest.mark.parametrize("value", [1.5, "1.5", True, None, [], "", "1 s"])
def test_a_period_must_be_whole_seconds(environ, demo_times, value):
    """The message names it."""
    with pytest.raises(InvalidSettings, match=r"^times: view_ttl should be whole seconds"):
        Settings.from_environ(with_times(environ, demo_times, view_ttl=value))


def test_contradictory_periods_are_refused(environ, demo_times):
    """Every function checks them, not only the deployment."""
    with pytest.raises(ContradictorySettings, match=r"publication wait 10 \+ grace 29"):
        Settings.from_environ(with_times(environ, demo_times, rotation_period=39))


def test_an_empty_route_table_is_none(environ):
    """The parameter may contain spaces."""
    assert Settings.from_environ({**environ, "KEYTURN_ROUTE_SCOPES": " ; "}).route_scopes is None


@pytest.mark.parametrize("result_ttl", [0, 1])
def test_a_route_table_has_shared_policies_if_api_gateway_caches(environ, demo_times, result_ttl):
    """It is refused at deployment if no cached policy can express it."""
    cached = with_times(environ, demo_times, result_ttl=result_ttl)
    table = Settings.from_environ(cached).route_scopes
    assert table is not None
    assert (table.shared is not None) is bool(result_ttl)
    cached["KEYTURN_ROUTE_SCOPES"] = "GET /a/{id}=orders:read;GET /a/{id}/b=orders:read"
    if result_ttl:
        with pytest.raises(
            InvalidSettings, match=r"^route_scopes: `GET /a/\{id\}` and .*do not cache"
        ):
            Settings.from_environ(cached)
    else:
        assert Settings.from_environ(cached).route_scopes


def test_a_container_has_one_stack(environ, monkeypatch):
    """Its caches live as long as the container."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    cached: Any = Stack.from_environment
    cached.__func__.cache_clear()
    try:
        stack = Stack.from_environment()
        assert Stack.from_environment() is stack
        assert (stack.settings.stack, stack.view) == ("demo", stack.view)
    finally:
        cached.__func__.cache_clear()
