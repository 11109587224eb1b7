"""A client is cut off beside runs that change the keys."""

from tests.model import actors
from tests.model.constants import Constants
from tests.model.scenarios import B_ACTIVE, A, B, Scenario, a_in_grace

CUTS = (
    Scenario(
        "rotation, cut-off",
        Constants(P=1, cuts=True, lifetime=4),
        (actors.scheduled(), actors.cut_off(), actors.forgetting()),
        (A, B),
    ),
    Scenario(
        "emergency, cut-off",
        Constants(P=1, G=1, skew=1, cuts=True),
        (actors.emergency("A"), actors.cut_off()),
        (A, B),
    ),
    Scenario(
        "cut-off, reconcile",
        Constants(P=1, leeway=2, skew=1, cuts=True),
        (actors.cut_off(), actors.forgetting()),
        (A, B),
    ),
    Scenario(
        "rollback, two cut-offs",
        Constants(cuts=True, lifetime=2),
        (actors.rollback(), actors.cut_off(), actors.cut_off("block", "block")),
        (B_ACTIVE, a_in_grace(7)),
    ),
)
LARGE = (
    Scenario(
        "rotation, emergency, cut-off",
        Constants(P=1, cuts=True),
        (actors.scheduled(), actors.emergency("A"), actors.cut_off()),
        (A, B),
    ),
)
