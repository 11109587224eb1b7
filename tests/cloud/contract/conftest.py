"""Every case runs on the fakes, on moto and on MiniStack.

`@deviates(moto="hashes a DIGEST again")`: it must fail there; the reason is in the output.
"""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from keyturn.cli.local import LocalAws, Workshop, running
from tests.cloud.contract import clouds
from tests.cloud.contract.clouds import Cloud
from tests.definition import ROOT

CLOUDS = ("fake", "moto", "ministack")
_WRONG = (AssertionError, ClientError, KeyError)  # moto lets its own KeyError through


def pytest_configure(config: pytest.Config) -> None:
    """Register our marker."""
    config.addinivalue_line("markers", "deviates(**reasons): which cloud must fail the case")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case that takes a cloud on every cloud; mark its known deviations."""
    if "cloud" in metafunc.fixturenames:
        params = [pytest.param(name, marks=_marks(metafunc, name)) for name in CLOUDS]
        metafunc.parametrize("cloud", params, indirect=True, scope="module")


def _marks(metafunc: pytest.Metafunc, cloud: str) -> list[pytest.MarkDecorator]:
    reasons = (m.kwargs.get(cloud) for m in metafunc.definition.iter_markers("deviates"))
    return [
        pytest.mark.xfail(reason=f"{cloud}: {reason}", raises=_WRONG, strict=True)
        for reason in reasons
        if reason
    ]


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One MiniStack for the whole folder, with nothing deployed; only its `cloud` points to it."""
    before = dict(os.environ)
    with (
        running(Workshop(ROOT, tmp_path_factory.mktemp("contract"))) as aws,
        patch.dict(os.environ, before, clear=True),
    ):
        yield aws


@pytest.fixture(scope="module")
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """The cloud of a case; its environment is restored before another folder's tests."""
    match request.param:
        case "ministack":
            opened = clouds.ministack(request.getfixturevalue("ministack"))
        case name:
            opened = getattr(clouds, name)()
    with opened as cloud:
        yield cloud
