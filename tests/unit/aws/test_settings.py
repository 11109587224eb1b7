"""Settings from the environment, refused by name; the one Stack of a container."""

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
    """What template.yaml puts into a function's environment."""
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


def test_settings_come_from_the_environment(environ, demo_times):
    """Texts become what they mean."""
    settings = Settings.from_environ(environ)
    assert settings.stack == "demo"
    assert settings.route_scopes == RouteTable.parse({"GET /orders": "orders:read"})
    assert (settings.deletion_window, settings.times) == (7, demo_times)


def test_some_functions_are_told_more(environ):
    """FlushAuthorizers the stages, the authorizer a former issuer, ProbeKey where the JWKS is."""
    assert Stack(Settings.from_environ(environ)).expectations("orders").former_issuer == ""
    own = {
        "KEYTURN_FLUSH_TARGETS": "a1/v1,http:b2/$default,",
        "KEYTURN_FORMER_ISSUER": "https://former.example",
        "KEYTURN_JWKS_ORIGIN": "https://d111.cloudfront.net",
    }
    settings = Settings.from_environ({**environ, **own})
    assert settings.flush_targets == (Stage("a1", "v1"), Stage("b2", "$default", is_http=True))
    assert settings.jwks_origin == "https://d111.cloudfront.net"
    expected = Stack(settings).expectations("orders")
    assert (expected.issuer, expected.former_issuer) == (
        "https://issuer.example",
        "https://former.example",
    )


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
def test_bad_settings_are_refused_by_name(environ, name, value):
    """The message begins with the field."""
    environ[f"KEYTURN_{name}"] = value
    if value is None:
        del environ[f"KEYTURN_{name}"]
    with pytest.raises(InvalidSettings, match=f"^{name.lower()}"):
        Settings.from_environ(environ)


def test_times_may_be_told_as_texts(environ, demo_times):
    """A stack's parameters are texts, whatever their type."""
    texts = {name: str(seconds) for name, seconds in asdict(demo_times).items()}
    environ["KEYTURN_TIMES"] = json.dumps(texts)
    assert Settings.from_environ(environ).times == demo_times


@pytest.mark.parametrize("told", [1.5, "1.5", True, None, [], "", "1 s"])
def test_times_that_are_no_whole_seconds_are_refused_by_name(environ, demo_times, told):
    """The message says which of them it is."""
    environ["KEYTURN_TIMES"] = json.dumps({**asdict(demo_times), "view_ttl": told})
    with pytest.raises(InvalidSettings, match=r"^times: view_ttl should be whole seconds"):
        Settings.from_environ(environ)


def test_all_bad_settings_are_told_at_once(environ):
    """Nobody deploys five times to find five mistakes."""
    with pytest.raises(InvalidSettings, match=r"^bucket: .*; deletion_window: "):
        Settings.from_environ({**environ, "KEYTURN_BUCKET": "", "KEYTURN_DELETION_WINDOW": "6"})


def test_periods_that_contradict_each_other_are_refused(environ, demo_times):
    """Every function insists on the arithmetic, not only the deployment."""
    environ["KEYTURN_TIMES"] = json.dumps({**asdict(demo_times), "rotation_period": 39})
    with pytest.raises(ContradictorySettings, match=r"publication wait 10 \+ grace 29"):
        Settings.from_environ(environ)


def test_a_route_table_is_made_for_a_cache_if_api_gateway_keeps_answers(environ, demo_times):
    """And refused at deployment if no policy that is kept can say what it says."""
    assert Settings.from_environ({**environ, "KEYTURN_ROUTE_SCOPES": " ; "}).route_scopes is None
    kept = asdict(demo_times) | {"result_ttl": 1}
    for times, is_shared in ((asdict(demo_times) | {"result_ttl": 0}, False), (kept, True)):
        settings = Settings.from_environ({**environ, "KEYTURN_TIMES": json.dumps(times)})
        assert settings.route_scopes is not None
        assert (settings.route_scopes.shared is not None) is is_shared
    environ["KEYTURN_ROUTE_SCOPES"] = "GET /a/{id}=orders:read;GET /a/{id}/b=orders:read"
    assert Settings.from_environ({**environ, "KEYTURN_TIMES": json.dumps(asdict(demo_times))})
    with pytest.raises(InvalidSettings, match=r"^route_scopes: `GET /a/\{id\}` and .*do not cache"):
        Settings.from_environ({**environ, "KEYTURN_TIMES": json.dumps(kept)})


def test_a_container_has_one_stack(environ, monkeypatch):
    """What is cached in it lives as long as the container."""
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
