"""Deployment and teardown: a wrong stack creates nothing, and a deleted one leaves nothing that costs money."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws, ToolFailed, Workshop
from keyturn.keyset.model import Keyset
from tests.definition import ROOT
from tests.e2e.conftest import Deploy
from tools.command import Completed, run
from tools.conformance.run import ITEMS
from tools.demo import story

_DOOMED = """
Resources:
  Doomed:
    Type: Custom::Doomed
    DependsOn: Keyset
    Properties: {ServiceToken: !GetAtt CheckSettingsFunction.Arn}
"""
# No key is due before the next stack stands.
RETAINED = {"RetainKeyset": "true", "RotationPeriod": 3600}


class Doomed(Workshop):
    """Deploys a stack whose last resource, after the keyset, cannot be created."""

    @property
    def built(self) -> Path:
        """The template that `sam build` wrote, and one resource more."""
        built = super().built
        doomed = built.with_name("doomed.yaml")
        doomed.write_text(built.read_text().replace("\nResources:\n", _DOOMED, 1))
        return doomed


@dataclass(frozen=True)
class Endings:
    """Stacks that end, each at its own pace: a Delete waits two minutes for what may be running."""

    conformance: Future[Completed]
    report: Path
    safe: Deployment  # its stack is deleted, its keyset retained
    keyset: Keyset
    keys: list[KmsKey]
    refusal: Future[None]
    failure: Future[None]

    def is_keyset_retained(self) -> bool:
        """Whether parameters and keys are as before the stack was deleted."""
        keys = self.safe.kms.list_own()
        unchanged = (self.safe.keyset, keys) == (self.keyset, self.keys)
        return unchanged and all(key.enabled for key in keys)


def conform(aws: LocalAws, place: Path) -> Completed:
    """`make conformance` on this local AWS."""
    options = {"STACK": "keyturn-gone", "PLACE": str(place)}
    environ = {**os.environ, **aws.environ, **options}
    return run(sys.executable, "-m", "tools.conformance", cwd=ROOT, env=environ)


@pytest.fixture(scope="module")
def endings(
    deploy: Deploy, workshop: Workshop, aws: LocalAws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endings]:
    """Begun together, so that they wait together; two at a time, as each starts twenty functions."""
    conformance = tmp_path_factory.mktemp("conformance")
    doomed = Doomed(workshop.root, workshop.place)
    safe = deploy("keyturn-safe", **RETAINED)
    keyset, keys = safe.keyset, safe.kms.list_own()
    workshop.delete("keyturn-safe")
    schedules = safe.clients.scheduler.list_schedules()["Schedules"]
    assert not [one for one in schedules if one["Name"].startswith("keyturn-safe-")]
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield Endings(
            pool.submit(conform, aws, conformance),
            conformance / "report.md",
            safe,
            keyset,
            keys,
            pool.submit(workshop.deploy, aws, "keyturn-safe", story.PARAMETERS),
            pool.submit(doomed.deploy, aws, "keyturn-doomed", story.PARAMETERS),
        )


def test_contradictory_times_are_refused_before_anything_exists(deploy: Deploy) -> None:
    """The deployment fails with the arithmetic in its message, and creates no key and no state machine."""
    with pytest.raises(ToolFailed, match=r"publication wait 10 \+ grace 29 \+ clock_skew 1 = 40 s"):
        deploy("keyturn-wrong", RotationPeriod=39)
    wrong = Deployment.find("keyturn-wrong")
    assert wrong.kms.list_own() == []
    assert wrong.keysets.read_texts() == {}
    machines = wrong.clients.states.list_state_machines()["stateMachines"]
    assert not [m["name"] for m in machines if m["name"].startswith("keyturn-wrong-")]


def test_a_domain_without_its_certificate_is_refused(deploy: Deploy) -> None:
    """A domain without its certificate is refused before the change set exists."""
    with pytest.raises(ToolFailed, match="Set both DomainName and CertificateArn, or neither"):
        deploy("keyturn-domain", DomainName="issuer.example.com")


def test_keyturn_conforms_and_leaves_nothing_behind(endings: Endings) -> None:
    """Every item holds or is listed as one for AWS only, and the stacks are deleted while a rotation waits."""
    ran = endings.conformance.result()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = dict(
        row.split(" | ", 1) for row in endings.report.read_text().splitlines() if "| `" in row
    )
    for item in ITEMS:
        row = rows[f"| `{item.name}`"]
        assert ("not run | 0.0 | local AWS |" in row) == item.aws_only
    assert " held " in rows["| `nothing_left`"]
    stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
    names = {s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"}
    assert not [name for name in names if name.startswith("keyturn-gone")]


def test_a_retained_keyset_survives_every_stack_but_the_next(
    endings: Endings, deploy: Deploy, workshop: Workshop, aws: LocalAws
) -> None:
    """A keyset outlives `sam delete` and rollbacks, and a stack that retains it too goes on with it.

    Neither a stack that may not go on with it nor one that may, and then fails, removes it.
    """
    doomed = Doomed(workshop.root, workshop.place)
    with pytest.raises(ToolFailed, match="an earlier stack of this name left its keyset"):
        endings.refusal.result()
    assert endings.is_keyset_retained()
    workshop.delete("keyturn-safe")
    with pytest.raises(ToolFailed, match="Doomed: InvalidSettings"):
        doomed.deploy(aws, "keyturn-safe", {**story.PARAMETERS, **RETAINED})
    assert endings.is_keyset_retained()
    workshop.delete("keyturn-safe")

    again = deploy("keyturn-safe", **RETAINED)
    assert story.at_rest(again).keyset == endings.keyset
    story.lets_in(again)


def test_a_rollback_deletes_what_its_stack_created(endings: Endings) -> None:
    """A creation that fails after the keyset leaves nothing that costs money."""
    with pytest.raises(ToolFailed, match="Doomed: InvalidSettings"):
        endings.failure.result()
    doomed = Deployment.find("keyturn-doomed")
    assert doomed.keysets.read_texts() == {}
    assert len(doomed.kms.list_own()) == 2
    assert all(key.pending_deletion for key in doomed.kms.list_own())
