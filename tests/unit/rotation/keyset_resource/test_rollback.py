"""Keyset, the custom resource: what a Delete ends, by who founded the keyset and how far Create got.

CloudFormation's Delete looks the same whether it rolls a creation back or deletes a stack.
"""

import pytest

STAYS, GOES = {"Enabled"}, {"PendingDeletion"}


def fails(stack, monkeypatch):
    """Have the first rotation of the next Create fail when it has made its keys."""
    start = stack.executions.start
    monkeypatch.setattr(stack.executions, "start", lambda *told: start(*told) and "execution-1")
    monkeypatch.setattr(stack.executions, "status", lambda _: "FAILED")
    monkeypatch.setattr(stack.executions, "cause", lambda _: "ProbeFailed")
    monkeypatch.setattr("keyturn.rotation.keyset_resource._is_complete", lambda _: False)


@pytest.fixture
def retained(ask, stack, cloud):
    """The keyset of a stack that was deleted, which the next stack finds; its bucket is new."""
    ask("Create", stack_id="stack-0", retain=True)
    ask("Delete", stack_id="stack-0", retain=True)
    stack.well_known.empty_bucket()
    return cloud.snapshot()


def left(cloud, retained) -> bool:
    """Whether nothing of the retained keyset has changed."""
    after = cloud.snapshot()
    return (after["parameters"], after["keys"]) == (retained["parameters"], retained["keys"])


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("created", [True, False], ids=["created", "failed"])
def test_what_a_stack_founded_goes_with_it(ask, stack, monkeypatch, cloud, created, lost):
    """By a stack's deletion and by every rollback, also when CloudFormation never heard of it."""
    if not created:
        fails(stack, monkeypatch)
    assert ask("Create")["Status"] == ("SUCCESS" if created else "FAILED")
    assert ask("Delete", lost=lost)["Status"] == "SUCCESS"
    after = cloud.snapshot()
    assert (after["parameters"], after["objects"]) == ({}, {})
    assert set(after["keys"].values()) == GOES


def test_a_stack_deletes_its_keyset_when_nobody_remembers_who_founded_it(ask, cloud):
    """The founding generation is pruned one day; the id of the resource says enough."""
    ask("Create")
    cloud.ssm.delete(["/keyturn/demo/keyset/000000000001"])
    ask("Delete")
    assert set(cloud.snapshot()["keys"].values()) == GOES


def test_a_stack_knows_that_it_founded_its_keyset_before_ssm_lists_it(ask, stack, monkeypatch):
    """SSM promises no consistent reads."""
    listed, lags = stack.keysets.read_texts, iter([True, True])
    monkeypatch.setattr(stack.keysets, "read_texts", lambda: {} if next(lags, False) else listed())
    assert ask("Create")["Status"] == "SUCCESS"


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("created", [True, False], ids=["created", "failed"])
def test_a_rollback_leaves_a_keyset_that_was_to_be_retained(
    ask, stack, monkeypatch, retained, cloud, created, lost
):
    """Whatever else fails in the stack that goes on with it."""
    if not created:
        fails(stack, monkeypatch)
    assert ask("Create", retain=True)["Status"] == ("SUCCESS" if created else "FAILED")
    assert ask("Delete", retain=True, lost=lost)["Status"] == "SUCCESS"
    assert left(cloud, retained)


def test_a_stack_that_stands_may_end_the_keyset_that_it_found(ask, retained, cloud):
    """Told so by an update: nothing retained is left by accident for ever."""
    ask("Create", retain=True)
    ask("Update", retain=False)
    ask("Delete", retain=False)
    after = cloud.snapshot()
    assert (after["parameters"], set(after["keys"].values())) == ({}, GOES)


def test_a_retained_keyset_is_not_taken_over_by_a_stack_whose_rollback_would_end_it(
    ask, retained, cloud
):
    """The creation is refused in words, before anything is written."""
    told = ask("Create")
    assert told["Status"] == "FAILED"
    assert told["Reason"].startswith("KeysetExists: an earlier stack of this name left its keyset.")
    assert "RetainKeyset=true" in told["Reason"]
    assert cloud.snapshot() == retained


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
def test_the_rollback_of_a_refused_creation_leaves_the_keyset(ask, stack, retained, cloud, lost):
    """Only the new stack's own bucket is emptied, in which its schedules may have written."""
    ask("Create")
    stack.history.keep(1, "{}")
    assert ask("Delete", lost=lost)["Status"] == "SUCCESS"
    assert left(cloud, retained)
    assert set(cloud.snapshot()["keys"].values()) == STAYS
    assert cloud.snapshot()["objects"] == {}


@pytest.mark.parametrize("call", ["s3:ListObjectsV2", "ssm:GetParametersByPath"])
def test_the_rollback_of_a_creation_that_could_not_look_leaves_the_keyset(
    ask, aws, retained, cloud, call
):
    """A Create that failed with any fault has shown nothing about who founded the keyset."""
    aws.fail(call, aws.error("AccessDeniedException"))
    assert ask("Create")["Status"] == "FAILED"
    assert ask("Delete")["Status"] == "SUCCESS"
    assert left(cloud, retained)
