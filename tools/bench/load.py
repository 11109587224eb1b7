"""A load on MiniStack over HTTP, through a rotation and an emergency: no valid token is refused.

MiniStack runs each function in one worker of Python, so what is measured is MiniStack; what counts
is that nothing valid is refused.
"""

from statistics import quantiles

from tools.bench.rows import Part, Row
from tools.demo import story
from tools.demo.rotation import Rotation
from tools.local_stacks import deployed

CALLERS = 2  # more only wait for each other, and keep the issuer waiting


def measure() -> tuple[Rotation, str]:
    """Deploy, rotate with an emergency in the second wait, take it all down; what did not hold."""
    with deployed("bench", story.PARAMETERS) as deployment:
        rotation = Rotation(deployment, callers=CALLERS)
        try:
            rotation.run()
            rotation.revoked()
        except story.DoesNotHold as failure:
            return rotation, str(failure)
        return rotation, ""


def rows() -> list[Row]:
    """Percentiles, and what was refused."""
    rotation, failure = measure()
    tally = rotation.client.tally
    percentiles = quantiles(tally.seconds_per_call, n=100)
    accepted, refused = tally.accepted.total(), len(tally.refused)
    part = Part("Load on MiniStack over HTTP, through a rotation and an emergency")
    rate = accepted / sum(rotation.seconds.values())
    part.add("calls accepted", f"{accepted} ({rate:.0f} /s)")
    part.add("p50", f"{percentiles[49] * 1e3:.0f} ms")
    part.add("p99", f"{percentiles[98] * 1e3:.0f} ms")
    part.add("valid tokens refused", str(refused), goal="0", reached=refused == 0)
    if failure:
        part.add("the rotation", failure, goal="holds", reached=False)
    return part.rows
