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
    """Made by the stack's own workflow, before the deployment ends."""
    assert ask("Create")["Status"] == "SUCCESS"
    generation = assert_at_rest(stack, cloud)
    assert (generation.started_by, generation.reason) == ("cloudformation", "no_active_key")


def test_the_attributes_are_the_issuer_s(ask, stack):
    """What the outputs show is what tokens and discovery document say."""
    for request in ("Create", "Update"):
        issuer = stack.settings.issuer
        jwks = f"{issuer}/.well-known/jwks.json"
        assert ask(request)["Data"] == {"Issuer": issuer, "JwksUrl": jwks}


def test_creating_again_changes_nothing(ask, cloud):
    """CloudFormation may ask twice."""
    ask("Create")
    before = cloud.snapshot()
    assert ask("Create")["Status"] == "SUCCESS"
    assert cloud.snapshot() == before


def test_a_boot_that_was_interrupted_is_completed(ask, stack, origin, cloud):
    """The same stack goes on with the keyset that it founded."""
    stack.keysets.create(1, replace(origin, started_by="stack-1"))
    assert ask("Create")["Status"] == "SUCCESS"
    assert_at_rest(stack, cloud)


@pytest.mark.parametrize("call", ["ssm:GetParametersByPath", "ssm:PutParameter", "s3:*"])
def test_a_new_stacks_role_may_be_refused_for_a_minute(ask, stack, cloud, aws, clock, call):
    """IAM needs seconds to let a new role act; the creation waits for it."""
    until = clock.monotonic() + 60

    def refuse():
        if clock.monotonic() < until:
            raise aws.error("AccessDeniedException")

    aws.meanwhile(call, refuse, times=float("inf"))
    assert ask("Create")["Status"] == "SUCCESS"
    assert_at_rest(stack, cloud)


def test_a_role_that_stays_refused_fails_the_creation(ask, aws, clock):
    """With AWS's own word for it, in time."""
    aws.fail("ssm:PutParameter", aws.error("AccessDeniedException"), times=999)
    began = clock.monotonic()
    told = ask("Create")
    assert (told["Status"], "AccessDeniedException" in told["Reason"]) == ("FAILED", True)
    assert 120 < clock.monotonic() - began < 130


def test_a_boot_that_fails_is_told(ask, stack, monkeypatch):
    """CloudFormation hears how the first rotation ended and why, and rolls back."""
    monkeypatch.setattr(stack.executions, "start", lambda *_: "execution-1")
    monkeypatch.setattr(stack.executions, "status", lambda _: "FAILED")
    monkeypatch.setattr(stack.executions, "cause", lambda _: "ProbeFailed")
    told = ask("Create")
    assert told["Status"] == "FAILED"
    assert told["Reason"] == "NotBooted: the first rotation ended FAILED: ProbeFailed"


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
def test_a_boot_without_keys_fails_in_time(ask, stack, monkeypatch, clock, status):
    """Before the function's own timeout of 840 s, so that CloudFormation gets its answer."""
    monkeypatch.setattr(stack.executions, "start", lambda *_: "execution-1")
    monkeypatch.setattr(stack.executions, "status", lambda _: status)
    monkeypatch.setattr(clock, "sleep", lambda seconds: clock.advance(10 * seconds))
    start = clock.monotonic()
    told = ask("Create")
    assert (told["Status"], "NotBooted: no published active" in told["Reason"]) == ("FAILED", True)
    assert clock.monotonic() - start < 840


@pytest.mark.parametrize(("in_history", "in_jwks"), [(7, 0), (0, 9), (12, 9)])
def test_generations_go_on_where_the_bucket_left_off(ask, stack, in_history, in_jwks, cloud):
    """A keyset founded anew never writes a JWKS or a history that looks older than what is there."""
    if in_history:
        kept = Generation(in_history, "op-0", "tests", "kept", START, Keyset())
        stack.history.keep(in_history, document.dumps(kept))
        stack.history.keep(in_history + 50, "{}")  # by somebody else
    if in_jwks:
        stack.well_known.write(in_jwks, [], None)
    ask("Create")
    numbers = [int(name.rsplit("/", 1)[1]) for name in cloud.snapshot()["parameters"]]
    assert min(numbers) == max(in_history, in_jwks) + 1


def test_an_update_brings_the_documents_up_to_date(ask, stack, cloud):
    """A new issuer is in the discovery document when the deployment ends; no key is touched."""
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
    """Keys go, also unregistered ones; parameters and objects are gone; nothing runs."""
    ask("Create")
    stack.kms.create()
    stack.history.keep(1, "{}")
    cloud.kms.create_tagged("other", default_policy())
    assert ask("Delete")["Status"] == "SUCCESS"
    after = cloud.snapshot()
    assert (after["parameters"], after["objects"]) == ({}, {})
    assert sorted(after["keys"].values()) == ["Enabled"] + ["PendingDeletion"] * 3
    assert machine.describe_execution(running)["status"] == "ABORTED"


def test_deleting_leaves_a_retained_keyset_as_it_is(ask, cloud, machine, running):
    """Nothing runs any more; keys, parameters and objects stay."""
    ask("Create", retain=True)
    before = cloud.snapshot()
    assert ask("Delete", retain=True)["Status"] == "SUCCESS"
    assert cloud.snapshot() == before
    assert machine.describe_execution(running)["status"] == "ABORTED"


def test_a_new_stack_goes_on_with_a_retained_keyset(ask, stack, cloud):
    """The same keys, shown at once in the new stack's own bucket, which was empty."""
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


def test_what_cannot_be_read_does_not_keep_the_stack_alive(ask, cloud):
    """The readable generations name their keys; all of them go."""
    ask("Create")
    cloud.ssm.put("/keyturn/demo/keyset/000000000999", "{}")
    assert ask("Delete")["Status"] == "SUCCESS"
    assert (cloud.snapshot()["parameters"], set(cloud.snapshot()["keys"].values())) == (
        {},
        {"PendingDeletion"},
    )


def test_nothing_can_start_while_keys_go(ask, aws):
    """Executions first, then keys, then the documents, then the truth, which the history brings back."""
    ask("Create")
    aws.reset()
    ask("Delete")
    writes = [
        "states:ListExecutions",
        "kms:ScheduleKeyDeletion",
        "s3:DeleteObject",
        "ssm:DeleteParameters",
    ]
    firsts = [aws.operations.index(operation) for operation in writes]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize(("write_delay", "seconds"), [(20, 120), (300, 300), (900, 600)])
def test_a_deletion_waits_for_what_was_running(
    ask, stack, clock, monkeypatch, write_delay, seconds
):
    """A step has written after ω, a reconcile after its timeout; and CloudFormation is answered."""
    ask("Create")
    monkeypatch.setattr(stack, "times", replace(stack.times, write_delay=write_delay))
    before = sum(clock.slept)
    assert ask("Delete")["Status"] == "SUCCESS"
    assert sum(clock.slept) - before == seconds


def test_the_wait_is_for_reconcile_s_own_timeout():
    """And leaves the function's calls four of its fourteen minutes."""
    timeout = {name: TEMPLATE["Resources"][name]["Properties"]["Timeout"] for name in TIMED}
    assert timeout["ReconcileFunction"] == keyset_resource._LONGEST_RECONCILE
    assert timeout["KeysetFunction"] == keyset_resource._LONGEST_WAIT + 240


def test_deleting_again_succeeds(ask):
    """Also after a deletion that was interrupted."""
    ask("Create")
    assert [ask("Delete")["Status"] for _ in range(2)] == ["SUCCESS"] * 2


def test_deleting_a_stack_that_never_booted_succeeds(ask):
    """A rollback of a failed deployment finds no keyset."""
    assert ask("Delete", lost=True)["Status"] == "SUCCESS"


def test_a_fault_is_answered(ask, aws):
    """CloudFormation is told which call failed."""
    ask("Create")
    aws.fail("tag:GetResources", aws.error("AccessDeniedException"))
    told = ask("Delete")
    assert (told["Status"], "tag:GetResources" in told["Reason"]) == ("FAILED", True)
