"""CheckSettings: what contradicts itself is refused before anything exists, with the arithmetic."""

import json
from dataclasses import asdict

import pytest

from keyturn.access.client import Client
from keyturn.rotation import check_settings
from tests.unit.stage import invoke


def check(site, demo_times, printed, request_type="Create", times=(), **properties):
    """Deploy with these settings; returns what CloudFormation was told."""
    site.puts.clear()
    given = {
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
        "ResourceProperties": given,
    }
    assert invoke(check_settings, event) is None
    [told] = site.puts
    return told


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_good_settings_are_handed_on(site, demo_times, printed, request_type):
    """The attribute `Times` is what every other function reads."""
    told = check(site, demo_times, printed, request_type)
    assert told["Status"] == "SUCCESS"
    assert json.loads(told["Data"]["Times"]) == asdict(demo_times)


@pytest.mark.parametrize(
    ("scopes", "listed"),
    [("orders:read", ["orders:read"]), ("b, a,b", ["a", "b"]), ("a b", ["a", "b"]), ("", [])],
)
def test_the_operators_document_is_made_of_the_parameters(
    site, demo_times, printed, scopes, listed
):
    """The attribute `Operator`: the stack's audience, these scopes, any subject."""
    document = json.loads(
        check(site, demo_times, printed, operator_scopes=scopes)["Data"]["Operator"]
    )
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
def test_contradictory_times_fail_with_the_arithmetic(site, demo_times, printed, times, words):
    """The deployment stops with a sentence that says which numbers do not fit."""
    told = check(site, demo_times, printed, times=times)
    assert (told["Status"], told["Data"]) == ("FAILED", {})
    assert all(word in told["Reason"] for word in words), told["Reason"]


def test_all_contradictions_are_told_at_once(site, demo_times, printed):
    """Nobody deploys five times to find five mistakes."""
    reason = check(
        site, demo_times, printed, times={"rotation_period": 1, "view_ttl": 11, "clock_skew": 61}
    )["Reason"]
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
def test_bad_settings_fail_by_name(site, demo_times, printed, properties, field):
    """As they would in every function."""
    told = check(site, demo_times, printed, **properties)
    assert told["Status"] == "FAILED"
    assert field in told["Reason"]


def test_deleting_never_fails(site, demo_times, printed):
    """Whatever the settings were: a stack that cannot be deleted is worse."""
    assert (
        check(site, demo_times, printed, "Delete", times={"rotation_period": 1})["Status"]
        == "SUCCESS"
    )
