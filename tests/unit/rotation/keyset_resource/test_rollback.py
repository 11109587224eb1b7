"""Keyset, the custom resource: a Delete deletes only a keyset that this stack has founded.

CloudFormation's Delete looks the same whether it rolls a creation back or deletes a stack.
"""

import pytest

STAYS, GOES = {"Enabled"}, {"PendingDeletion"}


def fail_the_first_rotation(stack, monkeypatch):
    """Let the first rotation of the next Create fail after it has created its keys."""
    start = stack.executions.start
    monkeypatch.setattr(stack.executions, "start", lambda *args: start(*args) and "execution-1")
    monkeypatch.setattr(stack.executions, "status", lambda _: "FAILED")
    monkeypatch.setattr(stack.executions, "cause", lambda _: "ProbeFailed")
    monkeypatch.setattr("keyturn.rotation.keyset_resource._is_complete", lambda _: False)


@pytest.fixture
def retained(ask, stack, cloud):
    """The keyset that a deleted stack has retained; the next stack's bucket is empty."""
    ask("Create", stack_id="stack-0", retain=True)
    ask("Delete", stack_id="stack-0", retain=True)
    stack.well_known.empty_bucket()
    return cloud.snapshot()


def assert_untouched(cloud, retained) -> None:
    """Assert that nothing of the retained keyset has changed."""
    after = cloud.snapshot()
    assert (after["parameters"], after["keys"]) == (retained["parameters"], retained["keys"])


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("created", [True, False], ids=["created", "failed"])
def test_what_a_stack_founded_goes_with_it(ask, stack, monkeypatch, cloud, created, lost):
    """On deletion and on every rollback, also when CloudFormation never received the answer."""
    if not created:
        fail_the_first_rotation(stack, monkeypatch)
    assert ask("Create")["Status"] == ("SUCCESS" if created else "FAILED")
    assert ask("Delete", lost=lost)["Status"] == "SUCCESS"
    after = cloud.snapshot()
    assert (after["parameters"], after["objects"]) == ({}, {})
    assert set(after["keys"].values()) == GOES


def test_a_stack_deletes_its_keyset_after_the_founding_generation_was_pruned(ask, cloud):
    """The id of the resource says that the stack has founded it."""
    ask("Create")
    cloud.ssm.delete(["/keyturn/demo/keyset/000000000001"])
    ask("Delete")
    assert set(cloud.snapshot()["keys"].values()) == GOES


def test_a_creation_succeeds_before_ssm_lists_the_keyset(ask, stack, monkeypatch):
    """SSM's reads are only eventually consistent."""
    listed, lags = stack.keysets.read_texts, iter([True, True])
    monkeypatch.setattr(stack.keysets, "read_texts", lambda: {} if next(lags, False) else listed())
    assert ask("Create")["Status"] == "SUCCESS"


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("created", [True, False], ids=["created", "failed"])
def test_a_rollback_leaves_a_keyset_that_was_to_be_retained(
    ask, stack, monkeypatch, retained, cloud, created, lost
):
    """It is left whatever else fails in the stack that has taken it over."""
    if not created:
        fail_the_first_rotation(stack, monkeypatch)
    assert ask("Create", retain=True)["Status"] == ("SUCCESS" if created else "FAILED")
    assert ask("Delete", retain=True, lost=lost)["Status"] == "SUCCESS"
    assert_untouched(cloud, retained)


def test_a_stack_may_delete_the_keyset_that_it_took_over(ask, retained, cloud):
    """An update may change the setting, so a retained keyset need not stay for ever."""
    ask("Create", retain=True)
    ask("Update", retain=False)
    ask("Delete", retain=False)
    after = cloud.snapshot()
    assert (after["parameters"], set(after["keys"].values())) == ({}, GOES)


def test_a_retained_keyset_is_not_taken_over_by_a_stack_whose_rollback_would_end_it(
    ask, retained, cloud
):
    """The creation is refused, with the remedy, before anything is written."""
    answer = ask("Create")
    assert answer["Status"] == "FAILED"
    reason = "KeysetExists: an earlier stack of this name left its keyset."
    assert answer["Reason"].startswith(reason)
    assert "RetainKeyset=true" in answer["Reason"]
    assert cloud.snapshot() == retained


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
def test_the_rollback_of_a_refused_creation_leaves_the_keyset(ask, stack, retained, cloud, lost):
    """Only the new stack's own bucket is emptied, which its schedules may have written to."""
    ask("Create")
    stack.history.keep(1, "{}")
    assert ask("Delete", lost=lost)["Status"] == "SUCCESS"
    assert_untouched(cloud, retained)
    assert set(cloud.snapshot()["keys"].values()) == STAYS
    assert cloud.snapshot()["objects"] == {}


@pytest.mark.parametrize("call", ["s3:ListObjectsV2", "ssm:GetParametersByPath"])
def test_the_rollback_of_a_creation_that_could_not_read_leaves_the_keyset(
    ask, aws, retained, cloud, call
):
    """A Create that failed with a fault does not know who founded the keyset."""
    aws.fail(call, aws.error("AccessDeniedException"))
    assert ask("Create")["Status"] == "FAILED"
    assert ask("Delete")["Status"] == "SUCCESS"
    assert_untouched(cloud, retained)
