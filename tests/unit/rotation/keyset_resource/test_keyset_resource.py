"""Keyset, the custom resource: a new stack has its keys, a deleted one leaves nothing behind."""

import json
from dataclasses import replace

import pytest

from keyturn.keyset import document
from keyturn.keyset.model import Generation, Keyset
from keyturn.rotation import keyset_resource
from tests.permissions.key_policy import default_policy
from tests.template import TEMPLATE
from tests.unit.rotation.stage import assert_at_rest
from tests.unit.stage import START

TIMED = ("ReconcileFunction", "KeysetFunction")


def test_a_new_stack_has_an_active_and_a_standby_key(ask, stack, cloud):
    """The stack's own workflow creates them before the deployment ends."""
    assert ask("Create")["Status"] == "SUCCESS"
    generation = assert_at_rest(stack, cloud)
    assert (generation.started_by, generation.reason) == ("cloudformation", "no_active_key")


def test_the_attributes_are_those_of_the_issuer(ask, stack):
    """The outputs show what the tokens and the discovery document contain."""
    for request in ("Create", "Update"):
        issuer = stack.settings.issuer
        jwks = f"{issuer}/.well-known/jwks.json"
        assert ask(request)["Data"] == {"Issuer": issuer, "JwksUrl": jwks}


def test_creating_again_changes_nothing(ask, cloud):
    """CloudFormation may send a request twice."""
    ask("Create")
    before = cloud.snapshot()
    assert ask("Create")["Status"] == "SUCCESS"
    assert cloud.snapshot() == before


def test_a_boot_that_was_interrupted_is_completed(ask, stack, origin, cloud):
    """The same stack continues with the keyset that it founded."""
    stack.keysets.create(1, replace(origin, started_by="stack-1"))
    assert ask("Create")["Status"] == "SUCCESS"
    assert_at_rest(stack, cloud)


@pytest.mark.parametrize("call", ["ssm:GetParametersByPath", "ssm:PutParameter", "s3:*"])
def test_a_new_role_may_be_refused_for_a_minute(ask, stack, cloud, aws, clock, call):
    """IAM needs seconds until a new role works; the creation waits for it."""
    until = clock.monotonic() + 60

    def refuse():
        if clock.monotonic() < until:
            raise aws.error("AccessDeniedException")

    aws.meanwhile(call, refuse, times=float("inf"))
    assert ask("Create")["Status"] == "SUCCESS"
    assert_at_rest(stack, cloud)


def test_a_role_that_stays_refused_fails_the_creation(ask, aws, clock):
    """The answer comes in time and contains AWS's own error code."""
    aws.fail("ssm:PutParameter", aws.error("AccessDeniedException"), times=999)
    start = clock.monotonic()
    answer = ask("Create")
    assert answer["Status"] == "FAILED"
    assert "AccessDeniedException" in answer["Reason"]
    assert 120 < clock.monotonic() - start < 130


def test_a_failed_boot_fails_the_creation(ask, stack, monkeypatch):
    """The answer says how the first rotation ended and why."""
    monkeypatch.setattr(stack.executions, "start", lambda *_: "execution-1")
    monkeypatch.setattr(stack.executions, "status", lambda _: "FAILED")
    monkeypatch.setattr(stack.executions, "cause", lambda _: "ProbeFailed")
    answer = ask("Create")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "NotBooted: the first rotation ended FAILED: ProbeFailed"


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
def test_a_boot_without_keys_fails_in_time(ask, stack, monkeypatch, clock, status):
    """The answer comes before the function's own timeout of 840 s."""
    monkeypatch.setattr(stack.executions, "start", lambda *_: "execution-1")
    monkeypatch.setattr(stack.executions, "status", lambda _: status)
    monkeypatch.setattr(clock, "sleep", lambda seconds: clock.advance(10 * seconds))
    start = clock.monotonic()
    answer = ask("Create")
    assert answer["Status"] == "FAILED"
    assert "NotBooted: no published active" in answer["Reason"]
    assert clock.monotonic() - start < 840


@pytest.mark.parametrize(("in_history", "in_jwks"), [(7, 0), (0, 9), (12, 9)])
def test_generations_continue_after_those_in_the_bucket(ask, stack, in_history, in_jwks, cloud):
    """A keyset founded anew writes nothing that looks older than what the bucket holds."""
    if in_history:
        generation = Generation(in_history, "op-0", "tests", "kept", START, Keyset())
        stack.history.keep(in_history, document.dumps(generation))
        stack.history.keep(in_history + 50, "{}")  # a foreign object
    if in_jwks:
        stack.well_known.write(in_jwks, [], None)
    ask("Create")
    numbers = [int(name.rsplit("/", 1)[1]) for name in cloud.snapshot()["parameters"]]
    assert min(numbers) == max(in_history, in_jwks) + 1


def test_an_update_brings_the_documents_up_to_date(ask, stack, cloud):
    """A new issuer is in the discovery document when the deployment ends; no key changes."""
    ask("Create")
    cloud.s3.delete(".well-known/openid-configuration")
    before = cloud.snapshot()
    assert ask("Update")["Status"] == "SUCCESS"
    after = cloud.snapshot()
    assert after["parameters"] == before["parameters"]
    assert after["keys"] == before["keys"]
    [body] = [body for name, (body, *_) in after["objects"].items() if "openid" in name]
    assert json.loads(body)["issuer"] == stack.settings.issuer


def test_deleting_leaves_nothing_that_costs_money(ask, stack, cloud, machine, running):
    """All keys, also unregistered ones, parameters and objects are deleted, and no execution runs."""
    ask("Create")
    stack.kms.create()
    stack.history.keep(1, "{}")
    cloud.kms.create_tagged("other", default_policy())
    assert ask("Delete")["Status"] == "SUCCESS"
    after = cloud.snapshot()
    assert (after["parameters"], after["objects"]) == ({}, {})
    assert sorted(after["keys"].values()) == ["Enabled"] + ["PendingDeletion"] * 3
    assert machine.describe_execution(running)["status"] == "ABORTED"


def test_deleting_retains_the_keyset(ask, cloud, machine, running):
    """Executions are stopped; keys, parameters and objects stay."""
    ask("Create", retain=True)
    before = cloud.snapshot()
    assert ask("Delete", retain=True)["Status"] == "SUCCESS"
    assert cloud.snapshot() == before
    assert machine.describe_execution(running)["status"] == "ABORTED"


def test_a_new_stack_continues_with_a_retained_keyset(ask, stack, cloud):
    """The new stack publishes the same keys at once in its own bucket, which was empty."""
    ask("Create", stack_id="stack-0")
    before = assert_at_rest(stack, cloud)
    stack.well_known.empty_bucket()
    assert ask("Create", retain=True)["Status"] == "SUCCESS"
    assert assert_at_rest(stack, cloud) == before
    assert any("openid" in name for name in cloud.snapshot()["objects"])


def test_deleting_finds_keys_that_the_tagging_api_does_not_show_yet(ask, cloud):
    """It lags by minutes; the keyset knows its own keys."""
    ask("Create")
    cloud.kms.tag_lag = float("inf")
    assert ask("Delete")["Status"] == "SUCCESS"
    assert set(cloud.snapshot()["keys"].values()) == {"PendingDeletion"}


def test_deleting_waits_for_a_key_that_kms_does_not_know_yet(ask, aws, cloud, clock):
    """It was created just before, and would be left enabled."""
    ask("Create")
    born = clock.monotonic()

    def forget():
        if clock.monotonic() < born + 290:
            raise aws.error("NotFoundException")

    aws.meanwhile("kms:DescribeKey", forget, times=float("inf"))
    assert ask("Delete")["Status"] == "SUCCESS"
    assert set(cloud.snapshot()["keys"].values()) == {"PendingDeletion"}


def test_an_unreadable_generation_does_not_stop_a_deletion(ask, cloud):
    """The keys that the readable generations name are deleted."""
    ask("Create")
    cloud.ssm.put("/keyturn/demo/keyset/000000000999", "{}")
    assert ask("Delete")["Status"] == "SUCCESS"
    after = cloud.snapshot()
    assert (after["parameters"], set(after["keys"].values())) == ({}, {"PendingDeletion"})


def test_the_order_of_a_deletion(ask, aws):
    """Executions first, then keys, then objects, then the keyset, which the history could restore."""
    ask("Create")
    aws.reset()
    ask("Delete")
    order = [
        "states:ListExecutions",
        "kms:ScheduleKeyDeletion",
        "s3:DeleteObject",
        "ssm:DeleteParameters",
    ]
    firsts = [aws.operations.index(operation) for operation in order]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize(("write_delay", "seconds"), [(20, 120), (300, 300), (900, 600)])
def test_a_deletion_waits_for_what_was_running(
    ask, stack, clock, monkeypatch, write_delay, seconds
):
    """A step has written after ω, a reconcile after its timeout; the wait is limited all the same."""
    ask("Create")
    times = replace(stack.times, write_delay=write_delay)
    monkeypatch.setattr(stack, "settings", replace(stack.settings, times=times))
    before = sum(clock.slept)
    assert ask("Delete")["Status"] == "SUCCESS"
    assert sum(clock.slept) - before == seconds


def test_the_wait_follows_from_the_functions_timeouts():
    """It covers reconcile's timeout and leaves four of the function's fourteen minutes for its calls."""
    timeout = {name: TEMPLATE["Resources"][name]["Properties"]["Timeout"] for name in TIMED}
    assert timeout["ReconcileFunction"] == keyset_resource._LONGEST_RECONCILE
    assert timeout["KeysetFunction"] == keyset_resource._LONGEST_WAIT + 240


def test_deleting_again_succeeds(ask):
    """A deletion that was interrupted can be repeated."""
    ask("Create")
    assert [ask("Delete")["Status"] for _ in range(2)] == ["SUCCESS"] * 2


def test_deleting_a_stack_that_never_booted_succeeds(ask):
    """The rollback of a failed deployment finds no keyset."""
    assert ask("Delete", lost=True)["Status"] == "SUCCESS"


def test_a_fault_fails_the_request(ask, aws):
    """The answer says which call failed."""
    ask("Create")
    aws.fail("tag:GetResources", aws.error("AccessDeniedException"))
    answer = ask("Delete")
    assert answer["Status"] == "FAILED"
    assert "tag:GetResources" in answer["Reason"]
