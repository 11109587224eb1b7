"""The order of an emergency's effects; a step that fails does not stop the steps after it."""

import json
from datetime import timedelta
from itertools import groupby
from types import SimpleNamespace

import pytest
from botocore.exceptions import ConnectTimeoutError

from keyturn.aws.gateway_cache import Stage
from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset.states import State
from keyturn.rotation import reconcile
from keyturn.rotation.conclude_emergency import EmergencyIncomplete
from tests.cloud.gateway import RestGateway
from tests.definition import STATES
from tests.unit.rotation.emergency.paths import EMERGENCY
from tests.unit.rotation.stage import assert_recovered, start_emergency
from tests.unit.stage import START, active_key, active_kid, invoke, standby_key, standby_kid, truth

REFUSED = "AccessDeniedException"
# What is broken in which state, and what the conclusion calls the step.
FAILURES = [
    ("RevokeKeys", "ssm:PutParameter", "revocation"),
    ("DisableKeys", "kms:DisableKey", "disabling"),
    ("PublishJwksAfterRevoke", "s3:PutObject", "publication"),
    ("ReplaceKeys", "kms:CreateKey", "replacement"),
    ("PublishJwksAfterReplace", "s3:PutObject", "republication"),
    ("FlushAuthorizers", "apigateway:Flush", "flush"),
]


@pytest.fixture
def gateway(aws, clients) -> RestGateway:
    """API Gateway's control plane; `flushed` says which stages were flushed, and when."""
    clients.apigateway = RestGateway(aws, START)
    return clients.apigateway


@pytest.fixture
def flushing(booted, gateway, container):
    """A booted stack with two stages to flush."""
    return container(flush_targets=(Stage("api1", "v1"), Stage("api2", "prod")))


def effects(aws) -> list[str]:
    """The writes so far in order, each by what it changed; repetitions count once."""
    names = []
    for operation, params in aws.calls:
        if operation == "ssm:PutParameter":
            revoked = any(key["state"] == "revoked" for key in json.loads(params["Value"])["ended"])
            names.append("revoke" if revoked and "revoke" not in names else "keyset")
        elif operation == "s3:PutObject" and params["Key"] == JWKS:
            names.append("jwks")
        elif operation in ("kms:CreateKey", "kms:DisableKey", "apigateway:Flush"):
            names.append(operation)
    return [name for name, _ in groupby(names)]


def fail_step(aws, emergency, state, operation):
    """Take the emergency through one state while an operation is refused; returns the attempts."""
    emergency.until(state)
    fault = aws.fail(operation, aws.error(REFUSED), times=float("inf"))
    following = EMERGENCY[EMERGENCY.index(state) + 1]
    emergency.until(following)
    fault.end()
    assert emergency.state == following
    return fault.seen


def test_the_order(flushing, start, cloud, aws, clock, gateway):
    """Revoked, disabled, out of the JWKS; only then a new key; and the flush after C + ε."""
    emergency = start_emergency(start, active_kid(cloud)).until("DisableKeys")
    revoked_at = clock.now()
    assert emergency.finish() == "Revoked"
    assert effects(aws) == [
        "revoke",
        "kms:DisableKey",
        "jwks",
        "kms:CreateKey",
        "keyset",  # registered
        "jwks",
        "keyset",  # published
        "jwks",
        "apigateway:Flush",
    ]
    assert [stage for stage, _ in gateway.flushed] == ["api1/v1", "api2/prod"]
    times = flushing.times
    waited = gateway.flushed[0][1] - revoked_at
    assert waited >= timedelta(seconds=times.view_ttl + times.clock_skew)


def test_the_wait_begins_after_all_else(flushing, start, cloud, clock, gateway):
    """Slow steps do not shorten the wait."""
    emergency = start_emergency(start, active_kid(cloud)).until("WaitForViews")
    clock.advance(60)
    entered = clock.now()
    assert emergency.finish() == "Revoked"
    wait = timedelta(seconds=flushing.times.view_ttl + flushing.times.clock_skew)
    assert [at - entered for _, at in gateway.flushed] == [wait, wait]


def test_nothing_to_flush(booted, gateway, start, cloud):
    """Without cached answers and without FlushTargets API Gateway is never called."""
    emergency = start_emergency(start, active_kid(cloud))
    assert emergency.finish() == "Revoked"
    assert emergency.data["flush"] == {"outcome": "flushed", "stages": []}
    assert gateway.flushed == []


@pytest.fixture
def edge(booted, container, monkeypatch):
    """CloudFront in front of the bucket: the invalidations requested, and an error to raise."""
    stack = container(distribution="E1")
    edge = SimpleNamespace(error=None, batches=[])

    def create_invalidation(**arguments):
        edge.batches.append(arguments["InvalidationBatch"])
        if edge.error:
            raise edge.error
        return {"Invalidation": {"Id": "I1"}}

    client = SimpleNamespace(create_invalidation=create_invalidation)
    monkeypatch.setitem(stack.clients.__dict__, "cloudfront", client)
    return edge


def test_the_edge_is_invalidated(edge, start, cloud):
    """CloudFront drops the JWKS once per operation, after both publications."""
    emergency = start_emergency(start, active_kid(cloud))
    assert emergency.finish() == "Revoked"
    assert emergency.data["flush"] == {"outcome": "flushed", "stages": [], "invalidation": "I1"}
    reference = emergency.data["plan"]["op_id"]
    paths = {"Quantity": 1, "Items": ["/.well-known/jwks.json"]}
    assert edge.batches == [{"Paths": paths, "CallerReference": reference}]


@pytest.mark.parametrize("error", [RuntimeError("odd"), ConnectTimeoutError(endpoint_url="x")])
def test_a_failed_invalidation_fails_nothing(edge, start, cloud, error):
    """It is tried once, and the outcome says why it failed; CdnTtl limits the copies' life."""
    edge.error = error
    emergency = start_emergency(start, active_kid(cloud))
    assert emergency.finish() == "Revoked"
    assert emergency.data["flush"]["invalidation"].startswith("failed: ")
    assert len(edge.batches) == 1


def test_a_stage_that_cannot_be_flushed(flushing, start, cloud, aws, gateway):
    """The other stages are flushed, and the end of the execution names the step."""
    emergency = start_emergency(start, active_kid(cloud)).until("FlushAuthorizers")

    def refuse_the_first_stage():
        if aws.operations.count("apigateway:Flush") % 2:
            raise aws.error(REFUSED)

    aws.meanwhile("apigateway:Flush", refuse_the_first_stage, times=float("inf"))
    assert emergency.finish() == "failed"
    assert str(emergency.error) == "flush failed: FlushFailed"
    assert {stage for stage, _ in gateway.flushed} == {"api2/prod"}


@pytest.mark.parametrize(("state", "operation", "step"), FAILURES)
def test_a_failing_step_stops_none_after_it(
    flushing, start, cloud, aws, gateway, stack, state, operation, step
):
    """The rest is done, and the execution fails at its end naming the one step."""
    active, standby = active_kid(cloud), standby_kid(cloud)
    emergency = start_emergency(start, active)
    tries = 1 + STATES[state]["Retry"][-1]["MaxAttempts"]
    attempts = fail_step(aws, emergency, state, operation)
    assert attempts == (2 * tries if step == "flush" else tries)
    assert emergency.finish() == "failed"
    assert emergency.visited == EMERGENCY[:-1]
    assert isinstance(emergency.error, EmergencyIncomplete)
    assert str(emergency.error).startswith(f"{step} failed: ")
    assert str(emergency.error).count("failed") == 1

    revoked, key = step != "revocation", truth(cloud).get(active)
    assert (key.state is State.REVOKED) is revoked
    assert cloud.kms.state(key.kms_key_arn) == (
        "Disabled" if revoked and step != "disabling" else "Enabled"
    )
    assert active_kid(cloud) == (standby if revoked else active)
    assert bool(truth(cloud).standby) is (step != "replacement")
    assert (active in set(stack.well_known.read().keys)) is not revoked
    assert len(gateway.flushed) == (0 if step == "flush" else 2)


@pytest.mark.parametrize(("state", "operation", "step"), FAILURES)
def test_a_failed_step_can_be_repaired(
    flushing, start, cloud, aws, stack, clock, state, operation, step
):
    """The same emergency again, or reconcile once a key is revoked, completes the work."""
    active = active_kid(cloud)
    emergency = start_emergency(start, active)
    fail_step(aws, emergency, state, operation)
    assert emergency.finish() == "failed"
    if step in ("revocation", "flush"):
        assert start_emergency(start, active).finish() == "Revoked"
    else:
        clock.advance(flushing.limits.settling_time.total_seconds() + 1)
        invoke(reconcile, {})
    assert_recovered(stack, cloud, active)


def test_everything_after_the_revocation_fails(flushing, start, cloud, aws):
    """The key is revoked all the same, and the conclusion names all five steps."""
    active = active_kid(cloud)
    emergency = start_emergency(start, active)
    for state, operation, _ in FAILURES[1:]:
        fail_step(aws, emergency, state, operation)
    assert emergency.finish() == "failed"
    assert truth(cloud).get(active).state is State.REVOKED
    steps = [part.partition(" failed")[0] for part in str(emergency.error).split("; ")]
    assert steps == [step for _, _, step in FAILURES[1:]]


@pytest.mark.parametrize("code", ["NotFoundException", REFUSED])
def test_a_key_that_cannot_be_disabled(booted, start, cloud, aws, code):
    """The other keys of the emergency are disabled all the same."""
    first, second = active_key(truth(cloud)), standby_key(truth(cloud))
    emergency = start_emergency(start, first.kid, second.kid).until("DisableKeys")

    def refuse_the_first_key():
        if aws.calls[-1][1]["KeyId"] == first.kms_key_arn:
            raise aws.error(code)

    aws.meanwhile("kms:DescribeKey", refuse_the_first_key, times=float("inf"))
    emergency.until("PublishJwksAfterRevoke")
    assert cloud.kms.state(second.kms_key_arn) == "Disabled"
