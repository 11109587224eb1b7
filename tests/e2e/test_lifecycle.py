"""Deployment and teardown: nothing wrong comes to exist, nothing that costs money stays."""

import os
import subprocess
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
from tests.e2e.conftest import ROOT, Deploy
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
        built = self.root / "build/sam/template.yaml"
        doomed = built.with_name("doomed.yaml")
        doomed.write_text(built.read_text().replace("\nResources:\n", _DOOMED, 1))
        return doomed


@dataclass(frozen=True)
class Endings:
    """Stacks that end, each at its own pace: a Delete waits two minutes for what may be running."""

    conformance: Future["subprocess.CompletedProcess[str]"]
    report: Path
    safe: Deployment  # its stack is deleted, its keyset retained
    keyset: Keyset
    keys: list[KmsKey]
    refusal: Future[None]
    failure: Future[None]


def conform(aws: LocalAws, report: Path) -> "subprocess.CompletedProcess[str]":
    """`make conformance` on this local AWS, with what was built already."""
    told = {"STACK": "keyturn-gone", "BUILT": "1", "REPORT": str(report)}
    return subprocess.run(
        [sys.executable, "-m", "tools.conformance"],
        cwd=ROOT,
        env={**os.environ, **aws.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def endings(
    deploy: Deploy, workshop: Workshop, aws: LocalAws, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endings]:
    """Begun together, so that they wait together; two at a time, as each starts twenty functions."""
    report = tmp_path_factory.mktemp("conformance") / "conformance.md"
    safe = deploy("keyturn-safe", **RETAINED)
    keyset, keys = safe.keyset, safe.kms.list_own()
    workshop.delete("keyturn-safe")
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield Endings(
            pool.submit(conform, aws, report),
            report,
            safe,
            keyset,
            keys,
            pool.submit(workshop.deploy, aws, "keyturn-safe", story.PARAMETERS),
            pool.submit(Doomed(workshop.root).deploy, aws, "keyturn-doomed", story.PARAMETERS),
        )


def test_contradictory_times_are_refused_before_anything_exists(deploy: Deploy) -> None:
    """The deployment fails with the arithmetic in its message; no key and no API was made."""
    with pytest.raises(ToolFailed, match=r"publication wait 10 \+ grace 29 \+ clock_skew 1 = 40 s"):
        deploy("keyturn-wrong", RotationPeriod=39)
    wrong = Deployment.find("keyturn-wrong")
    assert wrong.kms.list_own() == []
    assert wrong.keysets.read_texts() == {}
    machines = wrong.clients.states.list_state_machines()["stateMachines"]
    assert not [m["name"] for m in machines if m["name"].startswith("keyturn-wrong-")]


def test_a_domain_without_its_certificate_is_refused(deploy: Deploy) -> None:
    """Before the change set exists, in words."""
    with pytest.raises(ToolFailed, match="Set both DomainName and CertificateArn, or neither"):
        deploy("keyturn-domain", DomainName="issuer.example.com")


def test_a_retained_keyset_goes_on_in_the_next_stack(deploy: Deploy, workshop: Workshop) -> None:
    """`sam delete` leaves keys and parameters as they are; deployed anew, the same keys are there."""
    first = deploy("keyturn-kept", **RETAINED)
    keyset, keys = first.keyset, first.kms.list_own()

    workshop.delete("keyturn-kept")

    assert first.keyset == keyset
    assert first.kms.list_own() == keys
    assert all(key.enabled for key in keys)
    schedules = first.clients.scheduler.list_schedules()["Schedules"]
    assert not [s["Name"] for s in schedules if s["Name"].startswith("keyturn-kept-")]

    again = deploy("keyturn-kept", **RETAINED)
    assert story.at_rest(again).keyset == keyset
    story.lets_in(again)


def test_keyturn_conforms_and_leaves_nothing_behind(endings: Endings) -> None:
    """As on an account: every item holds or is listed as one for AWS, and the stacks go with a rotation waiting."""
    ran = endings.conformance.result()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = dict(
        row.split(" | ", 1) for row in endings.report.read_text().splitlines() if "| `" in row
    )
    for item in ITEMS:
        row = rows[f"| `{item.name}`"]
        assert ("not run | 0.0 | local AWS |" in row) == item.aws_only
    assert " held " in rows["| `nothing_left`"]
    left = boto3.client("cloudformation").describe_stacks()["Stacks"]
    names = {s["StackName"] for s in left if s["StackStatus"] != "DELETE_COMPLETE"}
    assert not [name for name in names if name.startswith("keyturn-gone")]


def test_no_rollback_ends_a_retained_keyset(
    endings: Endings, workshop: Workshop, aws: LocalAws
) -> None:
    """Not that of a stack that may not go on with it, nor that of one that may and then fails."""
    with pytest.raises(ToolFailed, match="an earlier stack of this name left its keyset"):
        endings.refusal.result()
    workshop.delete("keyturn-safe")
    with pytest.raises(ToolFailed, match="Doomed: InvalidSettings"):
        Doomed(workshop.root).deploy(aws, "keyturn-safe", {**story.PARAMETERS, **RETAINED})

    assert endings.safe.keyset == endings.keyset
    assert endings.safe.kms.list_own() == endings.keys
    assert all(key.enabled for key in endings.keys)


def test_a_rollback_deletes_what_its_stack_founded(endings: Endings) -> None:
    """A creation that fails after the keyset leaves nothing that costs money."""
    with pytest.raises(ToolFailed, match="Doomed: InvalidSettings"):
        endings.failure.result()
    doomed = Deployment.find("keyturn-doomed")
    assert doomed.keysets.read_texts() == {}
    assert len(doomed.kms.list_own()) == 2
    assert all(key.pending_deletion for key in doomed.kms.list_own())
