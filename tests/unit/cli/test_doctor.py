"""`keyturn doctor`: every finding from a snapshot, and what `--fix` does about it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.aws.gateway_cache import Stage
from keyturn.aws.operator.gateway_authorizers import Authorizer
from keyturn.cli.doctor.checkup import examine
from keyturn.cli.doctor.findings import Fix
from keyturn.cli.snapshot import read_snapshot
from keyturn.rotation.reconcile import run as reconcile
from tests.documents import pages
from tests.permissions.key_policy import default_policy
from tests.unit.cli.broken_stacks import (
    BROKEN,
    CACHED_ROUTES,
    DAY,
    NO_ROUTES,
    OWN_CACHED_ROUTES,
    OWN_ROUTES,
    ROUTES,
    cached,
)
from tests.unit.cli.running import keyturn, transcript

BY_WORDS = {"settings_contradict", "keyset_unreadable"}  # there is nothing to read then


@pytest.fixture
def snapshot(deployment):
    """A stack at rest."""
    return read_snapshot(deployment)


def documented():
    """The row of each finding in docs/operating.md."""
    table = pages.rows(pages.section(pages.PAGES["docs/operating.md"], "Findings"))
    return {pages.code(row[0])[0]: row for row in table}


@pytest.mark.parametrize("state", ["active", "standby"])
def test_a_live_key_with_another_policy_is_foreign(deployment, cloud, state):
    """A principal that may change policies has opened it, which nothing else of the stack shows."""
    key = getattr(deployment.keyset, state)
    opened = default_policy()
    cloud.kms.set_policy(key.kms_key_arn, opened)
    [finding] = examine(read_snapshot(deployment))
    assert (finding.code, finding.subject) == ("foreign_key", key.kid)


def test_unreadable_policies_hide_nothing_else(deployment, aws):
    """Without kms:GetKeyPolicy the rest of KMS is checked, and doctor reports what is missing."""
    aws.fail("kms:GetKeyPolicy", aws.error("AccessDeniedException"), times=99)
    snapshot = read_snapshot(deployment)
    assert snapshot.kms
    assert snapshot.read_errors == {"key_policies": "kms:GetKeyPolicy: AccessDeniedException"}
    assert [finding.code for finding in examine(snapshot)] == ["unreadable"]


def test_a_stack_at_rest_has_no_findings(snapshot):
    """A stack at rest has no finding, not even a warning."""
    assert examine(snapshot) == []


@pytest.mark.parametrize("code", BROKEN)
def test_a_problem_is_reported_as_documented(snapshot, code):
    """A finding has its code, a sentence, a remedy, and the severity and fix that docs/operating.md gives it."""
    findings = {finding.code: finding for finding in examine(BROKEN[code](snapshot))}
    assert code in findings, findings
    finding = findings[code]
    assert finding.problem.endswith((".", ". "))
    assert finding.remedy
    _, severities, _, fixed_by = documented()[code]
    assert finding.severity in severities
    assert ("`--fix`" in fixed_by) == (finding.fix is not None)
    assert "doctor --fix" in finding.remedy or finding.fix is not Fix.RECONCILE


@pytest.mark.parametrize(
    ("api", "ttl", "severity"),
    [
        ("own", 300, "error"),
        ("own", 60, None),
        ("elsewhere", 61, "warning"),
        ("flushed", 300, None),
    ],
)
def test_an_answer_is_kept_no_longer_than_g_unless_it_is_flushed(snapshot, api, ttl, severity):
    """G is 60 s. Our own API must keep to it in any case: the printed bound depends on it."""
    times = replace(snapshot.settings.times, result_ttl=60)
    targets = (Stage("own", "v1"), Stage("flushed", "v1"))
    settings = replace(snapshot.settings, times=times, flush_targets=targets)
    there = replace(snapshot, settings=settings, authorizers=(Authorizer(api, "a", ttl),))
    results = [one.severity.value for one in examine(there)]
    assert results == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("text", "route_scopes", "code"),
    [
        (NO_ROUTES, OWN_ROUTES, {}),
        (None, None, {}),
        (None, OWN_ROUTES, {"http": "cache_opens_routes", "rest": "cache_refuses_routes"}),
        (None, OWN_CACHED_ROUTES, {"http": "cache_opens_routes"}),
        (ROUTES, None, {"http": "cache_opens_routes", "rest": "cache_refuses_routes"}),
        (CACHED_ROUTES, None, {"http": "cache_opens_routes"}),
    ],
    ids=["no routes", "none", "the stack's", "the stack's, cached", "routes", "routes, cached"],
)
@pytest.mark.parametrize("kind", ["http", "rest"])
@pytest.mark.parametrize("by_route", [False, True])
def test_what_a_cache_does_to_routes(snapshot, text, route_scopes, code, kind, by_route):
    """A REST API caches a policy, which names the routes; an HTTP API caches a yes or no."""
    route_key = {"context.routeKey", "context.path", "context.httpMethod"}
    there = cached(
        snapshot,
        text,
        is_http=kind == "http",
        cache_key=frozenset(route_key if by_route else {"context.path"}),
    )
    settings = replace(there.settings, route_scopes=route_scopes)
    results = [one.code for one in examine(replace(there, settings=settings))]
    assert results == ([] if by_route or kind not in code else [code[kind]])


def test_documents_that_cannot_be_read_make_no_finding_of_a_cache(snapshot):
    """The stack's own route table may not be the one that counts."""
    there = cached(snapshot, None, is_http=True)
    settings = replace(there.settings, route_scopes=OWN_ROUTES)
    assert examine(replace(there, settings=settings, apis=None)) == []


def test_an_api_of_another_account_is_not_missing(snapshot):
    """If other accounts may use the authorizer, this account cannot tell whether an API exists."""
    there = BROKEN["api_missing"](snapshot)
    assert examine(replace(there, admits_accounts=True)) == []
    assert examine(replace(there, authorizers=None)) == []


def test_a_newborn_that_kms_does_not_know_yet_is_no_finding(snapshot):
    """A new key is not reported as gone, so that nobody revokes it, until five minutes and ε of 1 s have passed."""
    unknown = replace(snapshot, kms={}, at=snapshot.at + timedelta(seconds=301))
    assert examine(unknown) == []
    later = replace(unknown, at=snapshot.at + timedelta(seconds=302))
    assert {one.code for one in examine(later)} == {"active_key_disabled", "standby_key_disabled"}


def test_every_finding_is_documented():
    """docs/operating.md has every finding, and no other."""
    assert documented().keys() == BROKEN.keys() | BY_WORDS


def test_the_worst_comes_first(snapshot):
    """Findings are listed critical first, then errors, then warnings."""
    off = replace(BROKEN["orphaned_key"](snapshot), projection=None, clock_offset=DAY)
    findings = [finding.severity.value for finding in examine(off)]
    assert findings == sorted(findings, key=["critical", "error", "warning"].index)
    assert {"critical", "warning"} <= set(findings)


@pytest.mark.parametrize("width", [80, 120])
def test_what_it_says(deployment, cloud, clients, width):
    """It prints two findings with their remedies; exit status 1."""
    kid = deployment.keyset.active.kms_key_arn
    cloud.kms.disable(kid)
    del clients.scheduler.schedules["demo-reconcile"]
    result = keyturn("doctor", width=width)
    assert result.exit_code == 1
    transcript(cloud, f"doctor-{width}", result.stdout.replace(kid.rpartition("/")[2], "0" * 36))


def test_all_is_well(deployment):
    """Without findings the exit status is 0."""
    result = keyturn("doctor")
    assert (result.exit_code, result.stdout.strip()) == (0, "All is well.")
    assert json.loads(keyturn("doctor", "--json").stdout) == {"findings": [], "fixed": []}


def test_fix_does_what_reconcile_does_and_enables_schedules(
    deployment, booted, cloud, clients, monkeypatch
):
    """`--fix` invokes reconcile, enables the schedules and examines the stack again."""
    for name in ("demo-rotation", "demo-reconcile"):
        clients.scheduler.schedules[name]["State"] = "DISABLED"
    cloud.s3.delete(".well-known/jwks.json")
    invocations = []

    def invoke(stack, function):
        invocations.append((stack, function))
        reconcile(booted)

    monkeypatch.setattr("keyturn.cli.doctor.command.invoke", invoke)
    result = keyturn("doctor", "--fix", "--json")
    assert json.loads(result.stdout) == {
        "findings": [],
        "fixed": ["reconcile", "enabled demo-rotation", "enabled demo-reconcile"],
    }
    assert (result.exit_code, invocations) == (0, [("demo", "ReconcileFunction")])


def test_fix_leaves_alone_what_it_cannot_mend(deployment, cloud, monkeypatch):
    """`--fix` leaves a disabled key alone: an operator decides whether to revoke or to enable it."""
    monkeypatch.setattr("keyturn.cli.doctor.command.invoke", lambda *_: pytest.fail("not for this"))
    cloud.kms.disable(deployment.keyset.active.kms_key_arn)
    result = keyturn("doctor", "--fix", "--json")
    output = json.loads(result.stdout)
    assert ([one["code"] for one in output["findings"]], output["fixed"]) == (
        ["active_key_disabled"],
        [],
    )
    assert result.exit_code == 1


def test_a_keyset_that_is_gone_is_a_finding(deployment, cloud):
    """A missing keyset is a finding, not an error of the command."""
    names = [f"/keyturn/demo/keyset/{number:012d}" for number in (1, 2)]
    cloud.ssm.delete(names)
    result = keyturn("doctor", "--json")
    [finding] = json.loads(result.stdout)["findings"]
    assert (finding["code"], finding["severity"]) == ("keyset_unreadable", "critical")
    assert "`keyturn repair`" in finding["remedy"]


def test_a_part_that_cannot_be_read_is_a_finding_of_its_own(deployment):
    """If the credentials may not list executions, everything else is checked."""

    def denied(*_):
        raise AwsFault("states:ListExecutions", "AccessDeniedException")

    deployment.executions.latest = denied
    findings = json.loads(keyturn("doctor", "--json").stdout)["findings"]
    assert {one["code"] for one in findings} == {"unreadable"}
    assert {one["subject"] for one in findings} == {"executions", "failed_executions"}
