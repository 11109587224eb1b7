"""CheckSettings: contradictory settings are refused, with the arithmetic, before anything exists."""

import json
from dataclasses import asdict

import pytest

from keyturn.access.client import Client
from keyturn.rotation import check_settings
from tests.unit.stage import invoke

pytestmark = pytest.mark.usefixtures("printed")  # keeps the handler's logs out of the output


def check(site, demo_times, request_type="Create", times=(), **properties):
    """Deploy with these settings; returns the answer to CloudFormation."""
    site.puts.clear()
    members = {
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:check",
        "ServiceTimeout": "60",
        "stack": "demo",
        "bucket": "keyturn-demo",
        "audience": "orders",
        "operator_scopes": "orders:read",
        "route_scopes": "",
        "deletion_window": "30",
        "times": json.dumps({**asdict(demo_times), **dict(times)}),
        "role_prefix": "arn:aws:iam::123456789012:role/keyturn/us-east-1/demo/",
        **properties,
    }
    event = {
        "RequestType": request_type,
        "ResponseURL": f"{site.url}/answer",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "CheckSettings",
        "ResourceProperties": members,
    }
    assert invoke(check_settings, event) is None
    [answer] = site.puts
    return answer


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_good_settings_become_attributes(site, demo_times, request_type):
    """The attribute `Times` is what every other function reads."""
    answer = check(site, demo_times, request_type)
    assert answer["Status"] == "SUCCESS"
    assert json.loads(answer["Data"]["Times"]) == asdict(demo_times)


@pytest.mark.parametrize(
    ("scopes", "listed"),
    [("orders:read", ["orders:read"]), ("b, a,b", ["a", "b"]), ("a b", ["a", "b"]), ("", [])],
)
def test_the_operators_document_comes_from_the_parameters(site, demo_times, scopes, listed):
    """The attribute `Operator` grants the stack's audience, these scopes and any subject."""
    answer = check(site, demo_times, operator_scopes=scopes)
    document = json.loads(answer["Data"]["Operator"])
    assert document == {"audiences": ["orders"], "scopes": listed, "subjects": "any"}
    assert Client.from_document("operator", document).scopes == set(listed)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"rotation_period": 39}, ["rotation_period (39 s)", "wait 10 + grace 29", "= 40 s"]),
        ({"token_lifetime": 16}, ["rotation_period (40 s)", "grace 30"]),
        ({"jwks_max_age": 3, "cdn_ttl": 2}, ["jwks_max_age + cdn_ttl (3 + 2 s)", "(4 s)"]),
        ({"view_ttl": 11}, ["view_ttl (11 s)", "stale_limit (10 s)"]),
        ({"leeway": 0}, ["clock_skew (1 s)", "leeway (0 s)"]),
        ({"issuer_timeout": 30}, ["issuer_timeout is 30 s, outside 1 to 29 s"]),
        ({"leeway": -1}, ["leeway is -1 s, outside 0 to 300 s"]),
    ],
)
def test_contradictory_times_fail_with_the_arithmetic(site, demo_times, times, words):
    """The deployment stops with a sentence that says which numbers do not fit."""
    answer = check(site, demo_times, times=times)
    assert (answer["Status"], answer["Data"]) == ("FAILED", {})
    assert all(word in answer["Reason"] for word in words), answer["Reason"]


def test_all_contradictions_are_reported_at_once(site, demo_times):
    """One deployment finds all mistakes."""
    times = {"rotation_period": 1, "view_ttl": 11, "clock_skew": 61}
    reason = check(site, demo_times, times=times)["Reason"]
    assert all(name in reason for name in ("rotation_period (", "view_ttl (", "clock_skew is"))


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"deletion_window": "6"}, "deletion_window"),
        ({"audience": ""}, "audience"),
        ({"route_scopes": "GET /whoami"}, "route_scopes"),
        ({"times": {"view_ttl": "soon"}}, "times"),
        ({"operator_scopes": 'say:"hi"'}, "the client operator: scopes"),
        ({"audience": "a\nb"}, "the client operator: audiences"),
    ],
)
def test_an_invalid_setting_is_named(site, demo_times, properties, field):
    """The deployment fails before a function starts with it."""
    answer = check(site, demo_times, **properties)
    assert answer["Status"] == "FAILED"
    assert field in answer["Reason"]


def test_deleting_never_fails(site, demo_times):
    """The settings are not checked then: a stack that cannot be deleted is worse."""
    answer = check(site, demo_times, "Delete", times={"rotation_period": 1})
    assert answer["Status"] == "SUCCESS"
