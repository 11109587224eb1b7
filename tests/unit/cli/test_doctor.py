"""`keyturn doctor`: every finding from a snapshot, and what `--fix` does about it."""

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from keyturn.access.routes import RouteTable
from keyturn.aws import registry
from keyturn.aws.executions import Execution, ExecutionRequest
from keyturn.aws.faults import AwsFault
from keyturn.aws.gateway_cache import Stage
from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.aws.keyset.well_known import OPENID_PROVIDER
from keyturn.aws.operator.gateway_authorizers import Authorizer
from keyturn.aws.operator.schedules import Schedule
from keyturn.cli.doctor.checkup import examine
from keyturn.cli.doctor.findings import Fix
from keyturn.cli.snapshot import Failure, Run, read_snapshot
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State
from keyturn.rotation.reconcile import run as reconcile
from tests.documents import pages
from tests.permissions.key_policy import default_policy
from tests.unit.cli.running import keyturn, transcript

DAY = timedelta(days=1)
ASKED = ExecutionRequest.parse('{"mode": "scheduled", "started_by": "schedule"}')


def with_keys(snapshot, *keys, ended=()):
    """The same stack with these live keys."""
    last = snapshot.generation
    keyset = replace(last.keyset, keys=keys, ended=tuple(ended))
    return replace(snapshot, generations=(*snapshot.generations, replace(last, keyset=keyset)))


def with_kms(snapshot, key, **changed):
    """The same stack, with a key that KMS tells something else of."""
    kms_key = replace(snapshot.kms[key.kms_key_arn], **changed)
    return replace(snapshot, kms={**snapshot.kms, key.kms_key_arn: kms_key})


def stranger(name, snapshot, age):
    """A KMS key of this stack that no keyset knows."""
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{name}"
    return KmsKey(arn, snapshot.at - age, enabled=True, pending_deletion=False, has_our_spec=True)


def with_strangers(snapshot, *keys):
    """The same stack with more KMS keys."""
    return replace(snapshot, kms={**snapshot.kms, **{key.arn: key for key in keys}})


def ended_but_enabled(snapshot):
    """The standby was revoked, and KMS still has it enabled."""
    active, standby = snapshot.keyset.active, snapshot.keyset.standby
    gone = EndedKey(standby.kid, standby.kms_key_arn, State.REVOKED, standby.created, snapshot.at)
    return with_keys(snapshot, active, ended=(gone,))


def run(state, age, snapshot):
    """An execution under way."""
    return Run("arn:run", "scheduled", "schedule", snapshot.at - age, state, snapshot.at - age)


def grace(snapshot):
    """The active key, superseded long ago."""
    active = snapshot.keyset.active
    return replace(
        active, state=State.GRACE, superseded=snapshot.at - DAY, verify_until=snapshot.at - DAY
    )


def with_cutoffs(snapshot, number):
    """The same stack, with so many subjects cut off."""
    cut = {"before": snapshot.at, "until": snapshot.at + DAY}
    cutoffs = tuple(CutOff(Claim.SUBJECT, digest_of(str(n)), **cut) for n in range(number))
    last = snapshot.generation
    last = replace(last, keyset=replace(last.keyset, cutoffs=cutoffs))
    return replace(snapshot, generations=(*snapshot.generations, last))


NO_ROUTES = '{"audience": "orders"}'
ROUTES = '{"audience": "orders", "routes": {"GET /orders": "orders:read"}}'
CACHED_ROUTES = f'{ROUTES[:-1]}, "cached": true}}'
OWN_ROUTES = RouteTable.parse({"GET /": "a"})
OWN_CACHED_ROUTES = RouteTable.parse({"GET /": "a"}, cached=True)


def deployed_as(kind, name, text):
    """A document as the registry reads it."""
    stored = {"Parameters": [{"Name": name, "Value": text, "Version": 1}]}
    ssm = SimpleNamespace(get_parameters=lambda **_: stored)
    return getattr(registry, f"{kind}_registry")("demo", ssm).read_document(name)


def cached(snapshot, text, **more):
    """An API whose authorizer's answers API Gateway keeps for all routes, and its document, if any."""
    times = replace(snapshot.settings.times, result_ttl=60)
    return replace(
        snapshot,
        settings=replace(snapshot.settings, times=times),
        authorizers=(Authorizer("other", "a1", 60, **more),),
        apis={"other": deployed_as("api", "other", text)} if text else {},
    )


BROKEN = {
    "no_active_key": lambda s: with_keys(s, s.keyset.standby),
    "no_standby": lambda s: with_keys(s, s.keyset.active),
    "standby_unpublished": lambda s: replace(
        with_keys(s, s.keyset.active, replace(s.keyset.standby, published=None)), at=s.at + DAY
    ),
    "overdue_key": lambda s: with_keys(s, s.keyset.standby, grace(s)),
    "cutoffs_nearly_full": lambda s: with_cutoffs(s, 55),
    "rotation_overdue": lambda s: replace(s, at=s.at + 400 * DAY),
    "active_key_disabled": lambda s: with_kms(s, s.keyset.active, enabled=False),
    "standby_key_disabled": lambda s: with_kms(
        s, s.keyset.standby, enabled=False, pending_deletion=True
    ),
    "grace_key_disabled": lambda s: replace(
        with_keys(
            s, s.keyset.standby, replace(grace(s), created=s.at - DAY, verify_until=s.at + DAY)
        ),
        kms={s.keyset.standby.kms_key_arn: s.kms[s.keyset.standby.kms_key_arn]},
    ),
    "foreign_key": lambda s: replace(s, foreign=frozenset({s.keyset.active.kms_key_arn})),
    "ended_key_kept": ended_but_enabled,
    "orphaned_key": lambda s: with_strangers(s, stranger("old", s, 3 * DAY)),
    "metadata_false": lambda s: replace(s, false_metadata=(OPENID_PROVIDER,)),
    "jwks_missing": lambda s: replace(s, projection=None),
    "jwks_behind": lambda s: replace(s, projection=replace(s.projection, generation=0)),
    "jwks_ahead": lambda s: replace(s, projection=replace(s.projection, generation=99)),
    "jwks_incomplete": lambda s: replace(s, projection=replace(s.projection, keys={})),
    "jwks_foreign": lambda s: replace(
        s, projection=replace(s.projection, body=b'{"keys":[{"kid":"forged"}]}')
    ),
    "foreign_history": lambda s: replace(s, foreign_objects=("history/x", "history/y")),
    "jwks_unreachable": lambda s: replace(s, public=replace(s.public, status=403)),
    "jwks_caching": lambda s: replace(s, public=replace(s.public, cache_control="no-cache")),
    "jwks_stale_at_edge": lambda s: replace(
        s, public=replace(s.public, generation=1), at=s.at + DAY
    ),
    "failed_execution": lambda s: replace(
        s, unresolved=(Failure(Execution("arn:run", "TIMED_OUT", s.at, s.at), ASKED),)
    ),
    "stuck_execution": lambda s: replace(s, running=(run("WaitForGrace", DAY, s),)),
    "schedule_missing": lambda s: replace(
        s, schedules=(Schedule("demo-rotation", enabled=False, expression=None),)
    ),
    "schedule_disabled": lambda s: replace(
        s, schedules=(Schedule("demo-rotation", enabled=False, expression="rate(1 day)"),)
    ),
    "authorizer_caches_longer": lambda s: replace(
        s, authorizers=(Authorizer("other", "a1", 300), Authorizer("own", "a2", 0))
    ),
    "document_unreadable": lambda s: replace(
        s, clients={"orders": deployed_as("client", "orders", "{}")}
    ),
    "api_missing": lambda s: replace(
        s, apis={"gone": deployed_as("api", "gone", NO_ROUTES)}, authorizers=()
    ),
    "cache_refuses_routes": lambda s: cached(s, ROUTES),
    "cache_opens_routes": lambda s: cached(s, ROUTES, is_http=True),
    "clock_skew": lambda s: replace(s, clock_offset=timedelta(seconds=-90)),
    "unreadable": lambda s: replace(
        s, read_errors={"kms": "kms:DescribeKey: AccessDeniedException"}
    ),
}
BY_WORDS = {"settings_contradict", "keyset_unreadable"}  # there is nothing to read then


@pytest.fixture
def snapshot(deployment):
    """A stack at rest."""
    return read_snapshot(deployment)


@pytest.mark.parametrize("state", ["active", "standby"])
def test_a_live_key_whose_policy_was_changed_is_found(deployment, cloud, state):
    """Somebody who may change policies has opened it: nothing else of the stack shows it."""
    key = getattr(deployment.keyset, state)
    opened = default_policy()
    cloud.kms.set_policy(key.kms_key_arn, opened)
    [finding] = examine(read_snapshot(deployment))
    assert (finding.code, finding.subject) == ("foreign_key", key.kid)


def test_policies_that_cannot_be_read_hide_nothing_else(deployment, aws):
    """Without kms:GetKeyPolicy the rest of KMS is shown, and what is missing is said."""
    aws.fail("kms:GetKeyPolicy", aws.error("AccessDeniedException"), times=99)
    snapshot = read_snapshot(deployment)
    assert snapshot.kms
    assert snapshot.read_errors == {"key_policies": "kms:GetKeyPolicy: AccessDeniedException"}
    assert [finding.code for finding in examine(snapshot)] == ["unreadable"]


def test_nothing_is_off_at_rest(snapshot):
    """Not even a warning."""
    assert examine(snapshot) == []


@pytest.mark.parametrize("code", BROKEN)
def test_a_finding(snapshot, code):
    """Found by its name, with a sentence and a remedy; and only where something is off."""
    findings = {finding.code: finding for finding in examine(BROKEN[code](snapshot))}
    assert code in findings, findings
    assert findings[code].problem.endswith((".", ". "))
    assert findings[code].remedy


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
    """G is 60 s; our own API must keep to it in any case, for the bound is printed with it."""
    times = replace(snapshot.settings.times, result_ttl=60)
    targets = (Stage("own", "v1"), Stage("flushed", "v1"))
    settings = replace(snapshot.settings, times=times, flush_targets=targets)
    there = replace(snapshot, settings=settings, authorizers=(Authorizer(api, "a", ttl),))
    found = [one.severity.value for one in examine(there)]
    assert found == ([severity] if severity else [])


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
    """A REST API caches a policy, which names the routes; an HTTP API a yes or no, which does not."""
    route_key = {"context.routeKey", "context.path", "context.httpMethod"}
    there = cached(
        snapshot,
        text,
        is_http=kind == "http",
        cache_key=frozenset(route_key if by_route else {"context.path"}),
    )
    settings = replace(there.settings, route_scopes=route_scopes)
    found = [one.code for one in examine(replace(there, settings=settings))]
    assert found == ([] if by_route or kind not in code else [code[kind]])


def test_documents_that_cannot_be_read_make_no_finding_of_a_cache(snapshot):
    """The stack's own table may not be what counts there."""
    there = cached(snapshot, None, is_http=True)
    settings = replace(there.settings, route_scopes=OWN_ROUTES)
    assert examine(replace(there, settings=settings, apis=None)) == []


def test_an_api_of_another_account_is_not_missing(snapshot):
    """Where other accounts may use the authorizer, nothing here tells whether their API exists."""
    there = BROKEN["api_missing"](snapshot)
    assert examine(replace(there, admits_accounts=True)) == []
    assert examine(replace(there, authorizers=None)) == []


def test_a_newborn_that_kms_does_not_know_yet_is_no_finding(snapshot):
    """Nobody should revoke a key for that; after five minutes it is gone."""
    unknown = replace(snapshot, kms={})
    assert examine(unknown) == []
    later = replace(unknown, at=snapshot.at + timedelta(seconds=301))
    assert {one.code for one in examine(later)} == {"active_key_disabled", "standby_key_disabled"}


def documented():
    """The row of each finding in docs/operating.md."""
    table = pages.rows(pages.section(pages.PAGES["docs/operating.md"], "Findings"))
    return {pages.code(row[0])[0]: row for row in table}


def test_every_finding_is_documented():
    """In docs/operating.md, and nothing else is."""
    assert documented().keys() == BROKEN.keys() | BY_WORDS


@pytest.mark.parametrize("code", BROKEN)
def test_severity_and_fix_are_the_documented_ones(snapshot, code):
    """Where the table has two severities, it is one of them."""
    finding = next(one for one in examine(BROKEN[code](snapshot)) if one.code == code)
    _, severities, _, fixed_by = documented()[code]
    assert finding.severity in severities
    assert ("`--fix`" in fixed_by) == (finding.fix is not None)


def test_the_worst_comes_first(snapshot):
    """Critical before error before warning."""
    off = replace(BROKEN["orphaned_key"](snapshot), projection=None, clock_offset=DAY)
    findings = [finding.severity.value for finding in examine(off)]
    assert findings == sorted(findings, key=["critical", "error", "warning"].index)
    assert {"critical", "warning"} <= set(findings)


@pytest.mark.parametrize("width", [80, 120])
def test_what_it_says(deployment, cloud, clients, width):
    """Two findings and their remedies; exit status 1."""
    kid = deployment.keyset.active.kms_key_arn
    cloud.kms.disable(kid)
    del clients.scheduler.schedules["demo-reconcile"]
    result = keyturn("doctor", width=width)
    assert result.exit_code == 1
    transcript(cloud, f"doctor-{width}", result.stdout.replace(kid.rpartition("/")[2], "0" * 36))


def test_all_is_well(deployment):
    """Exit status 0."""
    result = keyturn("doctor")
    assert (result.exit_code, result.stdout.strip()) == (0, "All is well.")
    assert json.loads(keyturn("doctor", "--json").stdout) == {"findings": [], "fixed": []}


def test_fix_does_what_reconcile_does_and_enables_schedules(
    deployment, booted, cloud, clients, monkeypatch
):
    """Then it looks again."""
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
    """A disabled key is for people: revoked or enabled, who knows?"""
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
    """Not an error of the command: this is what a doctor is for."""
    names = [f"/keyturn/demo/keyset/{number:012d}" for number in (1, 2)]
    cloud.ssm.delete(names)
    result = keyturn("doctor", "--json")
    [finding] = json.loads(result.stdout)["findings"]
    assert (finding["code"], finding["severity"]) == ("keyset_unreadable", "critical")
    assert "`keyturn repair`" in finding["remedy"]


def test_a_refused_look_is_told_and_the_others_are_made(deployment):
    """Credentials that may not list executions."""

    def denied(*_):
        raise AwsFault("states:ListExecutions", "AccessDeniedException")

    deployment.executions.latest = denied
    findings = json.loads(keyturn("doctor", "--json").stdout)["findings"]
    assert {one["code"] for one in findings} == {"unreadable"}
    assert {one["subject"] for one in findings} == {"executions", "failed_executions"}


def test_only_what_reconcile_mends_says_so(snapshot):
    """`--fix` is in the remedy where there is a fix, and nowhere else."""
    for code, broken in BROKEN.items():
        for finding in examine(broken(snapshot)):
            if finding.code == code and finding.fix is Fix.RECONCILE:
                assert "doctor --fix" in finding.remedy, finding


@pytest.mark.parametrize(
    "body",
    [
        {"keys": 5, "generation": "two"},
        {"keys": [5, {"kid": []}, {"kid": None}], "generation": None},
        ["keys"],
        "no JSON",
    ],
    ids=["a number", "odd members", "a list", "a text"],
)
def test_an_odd_public_jwks_ends_neither_doctor_nor_status(deployment, web, body):
    """Whoever wrote it: what is not a key is not shown as one."""
    web.body = body
    for verb in ("doctor", "status"):
        result = keyturn(verb)
        assert result.exit_code in (0, 1)
        assert "unexpected" not in result.stderr
