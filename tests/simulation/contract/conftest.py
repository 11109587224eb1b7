"""Every case is asked of the fakes, of moto and of MiniStack.

`@deviates(moto="hashes a DIGEST again")`: it must fail there. `@absent(fake="no run tears a stack
down")`: it is not asked there. Both reasons are in the output.
"""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from keyturn.cli.local import LocalAws, Workshop, running
from tests.definition import ROOT
from tests.simulation.contract import clouds
from tests.simulation.contract.clouds import Cloud

CLOUDS = ("fake", "moto", "ministack")
_WRONG = (AssertionError, ClientError, KeyError)  # moto lets its own KeyError through


def pytest_configure(config: pytest.Config) -> None:
    """Name our markers."""
    config.addinivalue_line("markers", "deviates(**reasons): which cloud must fail the case")
    config.addinivalue_line("markers", "absent(**reasons): which cloud is not asked")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each case that takes a cloud, on each cloud, with what is known to go wrong there."""
    if "cloud" in metafunc.fixturenames:
        params = [pytest.param(name, marks=_marks(metafunc, name)) for name in CLOUDS]
        metafunc.parametrize("cloud", params, indirect=True, scope="session")


def _marks(metafunc: pytest.Metafunc, cloud: str) -> list[pytest.MarkDecorator]:
    marks = []
    for marker in metafunc.definition.iter_markers():
        if cloud in marker.kwargs and marker.name == "deviates":
            reason = f"{cloud}: {marker.kwargs[cloud]}"
            marks.append(pytest.mark.xfail(reason=reason, raises=_WRONG, strict=True))
        if cloud in marker.kwargs and marker.name == "absent":
            marks.append(pytest.mark.skip(reason=f"{cloud}: {marker.kwargs[cloud]}"))
    return marks


@pytest.fixture(scope="session")
def ministack() -> Iterator[LocalAws]:
    """One MiniStack for the whole folder, with nothing deployed."""
    with running(Workshop(ROOT), ROOT / "build/tmp/contract") as aws:
        yield aws


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """The cloud that a case is asked of."""
    match request.param:
        case "ministack":
            opened = clouds.ministack(request.getfixturevalue("ministack"))
        case name:
            opened = getattr(clouds, name)()
    with opened as cloud:
        yield cloud
