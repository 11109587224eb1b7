"""Every call of the product to a faked service has a case here."""

import re

import pytest

from tests.definition import ROOT, snake
from tests.simulation import faults

FAKED = ("ssm", "kms", "s3", "tag")
HERE = ROOT / "tests/cloud/contract"
# Only a teardown empties the bucket, only `keyturn verify --kms` asks KMS about a signature, and only
# `keyturn client` and `api` ask which stack declares a document.
OUTSIDE_OF_RUNS = {
    "s3:ListObjectVersions",
    "s3:DeleteObject",
    "kms:Verify",
    "ssm:ListTagsForResource",
}


def _called() -> set[str]:
    """The operations named where the product translates their errors."""
    sources = (ROOT / "functions/keyturn").rglob("*.py")
    named = {
        name
        for file in sources
        for name in re.findall(r'translate_errors\("([^"]+)"\)', file.read_text())
    }
    return {name for name in named if name.partition(":")[0] in FAKED}


@pytest.mark.parametrize("operation", sorted(_called()))
def test_the_operation_has_a_case(operation: str) -> None:
    """At least one case calls it."""
    cases = "".join(file.read_text() for file in HERE.glob("*.py"))
    assert re.search(rf'[."]{snake(operation.partition(":")[2])}\b', cases)


def test_the_simulator_breaks_every_operation() -> None:
    """Each call that the product makes in a run can get a fault."""
    faked = {name for name in faults.READS | faults.WRITES if name.partition(":")[0] in FAKED}
    assert faked == _called() - OUTSIDE_OF_RUNS
