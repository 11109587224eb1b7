"""No call of the product to a service that is faked is left out here."""

import re

import pytest

from tests.definition import ROOT, snake
from tests.simulation import faults

FAKED = ("ssm", "kms", "s3", "tag")
HERE = ROOT / "tests/simulation/contract"
OUTSIDE_OF_RUNS = {"s3:DeleteObject"}  # only a teardown empties the bucket


def _made() -> set[str]:
    """The operations named where the product translates their errors."""
    sources = (ROOT / "functions/keyturn").rglob("*.py")
    named = {
        name
        for file in sources
        for name in re.findall(r'translated\("([^"]+)"\)', file.read_text())
    }
    return {name for name in named if name.partition(":")[0] in FAKED}


@pytest.mark.parametrize("operation", sorted(_made()))
def test_the_operation_has_a_case(operation: str) -> None:
    """Some case calls it."""
    service, _, name = operation.partition(":")
    cases = {"tag": "kms"}.get(service, service)
    assert re.search(rf'[."]{snake(name)}\b', (HERE / f"test_{cases}.py").read_text())


def test_the_simulator_breaks_every_operation() -> None:
    """What the product calls in a run is what a fault can hit."""
    faked = {name for name in faults.READS | faults.WRITES if name.partition(":")[0] in FAKED}
    assert faked == _made() - OUTSIDE_OF_RUNS
