"""Deployment and teardown: nothing wrong comes to exist, nothing that costs money stays."""

import pytest

from keyturn.aws.deployment import Deployment
from keyturn.cli.local import LocalAwsFailed, Workshop
from tests.e2e.conftest import Deploy, asking_for


def test_contradictory_times_are_refused_before_anything_exists(deploy: Deploy) -> None:
    """The deployment fails with the arithmetic in its message; no key and no API was made."""
    with pytest.raises(
        LocalAwsFailed, match=r"publication wait 10 \+ grace 29 \+ clock_skew 1 = 40 s"
    ):
        deploy("keyturn-wrong", RotationPeriod=39)
    wrong = Deployment.find("keyturn-wrong")
    assert wrong.kms.of_stack() == []
    assert wrong.keysets.stored() == {}
    machines = wrong.clients.states.list_state_machines()["stateMachines"]
    assert not [m["name"] for m in machines if m["name"].startswith("keyturn-wrong-")]


def test_deleting_the_stack_leaves_nothing_behind(deploy: Deploy, workshop: Workshop) -> None:
    """`sam delete` stops the schedules and a waiting rotation; keys are pending deletion."""
    deployment = deploy("keyturn-gone")
    active = deployment.keyset.active
    assert active is not None
    deployment.start(asking_for(active.kid))
    bucket = deployment.outputs["Issuer"].rsplit("/", 1)[1]

    workshop.delete("keyturn-gone")

    assert deployment.keysets.stored() == {}
    assert all(key.pending_deletion for key in deployment.kms.of_stack())
    schedules = deployment.clients.scheduler.list_schedules()["Schedules"]
    assert not [s["Name"] for s in schedules if s["Name"].startswith("keyturn-gone-")]
    buckets = deployment.clients.s3.list_buckets()["Buckets"]
    assert bucket not in [entry["Name"] for entry in buckets]
