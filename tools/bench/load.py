"""A load on MiniStack over HTTP, through a rotation and an emergency: nobody with a good token waits.

MiniStack runs each function in one worker of Python, so what is measured is MiniStack; what counts
is that nothing valid is refused.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import Any

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import Workshop, running
from tools.bench.contest import ROOT
from tools.bench.rows import Row
from tools.demo import story
from tools.demo.client import BackgroundClient, Tally, Token
from tools.demo.rotation import Rotation

CALLERS = 2  # more only wait for each other, and keep the issuer waiting


class Load(BackgroundClient):
    """The demo's client with more callers, which take the time of each call."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.took: list[float] = []

    @contextmanager
    def running(self) -> Iterator[Tally]:
        """Run for as long as the block lasts."""
        with super().running() as tally:
            callers = [
                threading.Thread(target=self._repeat, args=(self._try_all,), daemon=True)
                for _ in range(CALLERS - 1)
            ]
            for caller in callers:
                caller.start()
            yield tally
            self._stop.set()
            for caller in callers:
                caller.join()

    def _try(self, token: Token) -> None:
        began = time.perf_counter()
        super()._try(token)
        self.took.append(time.perf_counter() - began)


def measure() -> tuple[Load, Rotation, str]:
    """Deploy, rotate with an emergency in the second wait, take it all down; what did not hold."""
    workshop = Workshop(ROOT)
    workshop.build()
    with running(workshop, ROOT / "build/tmp/bench") as aws:
        workshop.deploy(aws, "keyturn", story.PARAMETERS)
        deployment = Deployment.find("keyturn")
        rotation = Rotation(deployment)
        load = Load(deployment, rotation.client._phase)
        rotation.client = load
        try:
            rotation.run(lambda _phase, _tally: None)
            rotation.revoked()
        except story.DoesNotHold as failure:
            return load, rotation, str(failure)
        return load, rotation, ""


def rows() -> list[Row]:
    """Percentiles, and what was refused."""
    load, rotation, failure = measure()
    percentiles = quantiles(load.took, n=100)
    refused, seconds = len(load.tally.refused), sum(rotation.seconds.values())
    part = "Load on MiniStack over HTTP, through a rotation and an emergency"
    accepted = load.tally.accepted.total()
    told = [
        Row(part, "calls accepted", None, f"{accepted} ({accepted / seconds:.0f} /s)"),
        Row(part, "p50", None, f"{percentiles[49] * 1e3:.0f} ms"),
        Row(part, "p99", None, f"{percentiles[98] * 1e3:.0f} ms"),
        Row(part, "valid tokens refused", None, str(refused), "0", refused == 0),
    ]
    if failure:
        told.append(Row(part, "the rotation", None, failure, "holds", False))
    return told
