"""Who runs beside whom, from which keyset, with which constants. Each is exhausted.

Every scenario has all issuers, authorizers and verifiers, lost replies, crashes, repetitions, delays
within ω, and every machine's clock anywhere within `skew`.
"""

from dataclasses import dataclass

from keyturn.keyset.model import Key, Keyset
from keyturn.keyset.states import State
from tests.model import actors
from tests.model.actors import Run
from tests.model.constants import NOW, Constants, instant
from tests.model.explore import Exploration, Explorer

LONG_AGO = -1000


@dataclass(frozen=True)
class Scenario:
    """A start and its runs; `most` states are looked at before it counts as not exhausted."""

    name: str
    constants: Constants
    runs: tuple[Run, ...]
    keys: tuple[Key, ...]
    most: int = 30_000_000

    def explorer(self, constants: Constants | None = None) -> tuple[Explorer, Exploration]:
        """The exploration of all its states, with these constants or its own."""
        explorer = Explorer(constants or self.constants, self.runs, self.most)
        keyset = Keyset(tuple(self._with_lifetime(key) for key in self.keys))
        start = explorer.world.start(explorer.atlas.number(keyset))
        return explorer, explorer.explore(start)

    def _with_lifetime(self, key: Key) -> Key:
        lifetime = self.constants.lifetime or self.constants.L
        return Key(**{**{n: getattr(key, n) for n in key.__slots__}, "lifetime": lifetime})


def _key(kid: str, state: State, published: int | None = LONG_AGO, **times: int) -> Key:
    at = None if published is None else instant(published)
    instants = {name: instant(seconds) for name, seconds in times.items()}
    return Key(kid, "arn", state, 1, NOW, published=at, **instants)


A = _key("A", State.ACTIVE, activated=LONG_AGO)
B = _key("B", State.STANDBY)
B_NEW = _key("B", State.STANDBY, None)
B_ACTIVE = _key("B", State.ACTIVE, activated=LONG_AGO)
A_FRESH = _key("A", State.ACTIVE, activated=0)


def a_in_grace(seconds: int) -> Key:
    """The key that B superseded just now."""
    return _key("A", State.GRACE, activated=LONG_AGO, superseded=0, verify_until=seconds)


SKEW = Constants(skew=1)
ALL = (
    Scenario(
        "rotation",
        Constants(C=2, P=3, L=2, leeway=2, skew=1, replication=1, tau=2, omega=2),
        (actors.scheduled(),),
        (A,),
    ),
    Scenario("rotation, P long", Constants(P=5, skew=1), (actors.scheduled(),), (A,)),
    Scenario(
        "rotation, C over P",
        Constants(C=2, P=1, skew=1, replication=1),
        (actors.scheduled(),),
        (A,),
    ),
    Scenario(
        "rotation, another L deployed", Constants(lifetime=3, skew=1), (actors.scheduled(),), (A, B)
    ),
    Scenario(
        "two rotations by age",
        Constants(P=1, by_age=True, R=4),
        (actors.scheduled("first", None), actors.scheduled("second", None)),
        (A_FRESH, B),
    ),
    Scenario(
        "rotation twice",
        Constants(P=1, skew=1),
        (actors.scheduled("first"), actors.scheduled("second")),
        (A, B),
    ),
    Scenario(
        "rotation, emergency on active",
        Constants(skew=1, G=1),
        (actors.scheduled(), actors.emergency("A")),
        (A, B),
    ),
    Scenario(
        "rotation, emergency on standby",
        Constants(),
        (actors.scheduled(), actors.emergency("B")),
        (A, B_NEW),
    ),
    Scenario(
        "two emergencies",
        Constants(P=1),
        (actors.emergency("A"), actors.emergency("B", name="second")),
        (A, B),
    ),
    Scenario("rotation, rollback", SKEW, (actors.scheduled(), actors.rollback()), (A, B)),
    Scenario(
        "rollback, late ActivateKey", SKEW, (actors.late_activation(), actors.rollback()), (A, B)
    ),
    Scenario(
        "rollback at the last moment",
        Constants(C=2, skew=1, replication=1, omega=2),
        (actors.rollback(),),
        (B_ACTIVE, a_in_grace(9)),
    ),
    Scenario("rotation, reconcile", SKEW, (actors.scheduled(), actors.reconcile()), (A,)),
    Scenario(
        "emergency, reconcile",
        Constants(skew=1, G=1),
        (actors.emergency("A"), actors.reconcile()),
        (A, B),
    ),
    Scenario(
        "empty keyset, reconcile",
        SKEW,
        (actors.scheduled(requested_kid=None), actors.reconcile()),
        (),
    ),
    Scenario(
        "three projectors",
        Constants(skew=1, slow_reads=True),
        (actors.projector("first"), actors.projector("second"), actors.emergency("B")),
        (A, B_NEW),
    ),
    Scenario(
        "rotation, SSM unreadable",
        Constants(stale=3, G=1),
        (actors.scheduled(), actors.emergency("A")),
        (A, B),
    ),
    Scenario(
        "emergency, all terms",
        Constants(C=2, skew=1, replication=1, G=2),
        (actors.emergency("A"),),
        (A, B),
    ),
    Scenario(
        "late registration",
        Constants(P=1, claim=3, ended=1),
        (
            actors.late_registration("B"),
            actors.emergency("B"),
            actors.emergency("C", name="second"),
        ),
        (A, B),
    ),
    Scenario(
        "a full JWKS",
        Constants(P=1, skew=1, live=3),
        (actors.scheduled(), actors.reconcile()),
        (_key("C", State.GRACE, activated=LONG_AGO, superseded=0, verify_until=4), A, B),
    ),
    Scenario(
        "registration race",
        SKEW,
        (actors.late_registration("H"), actors.emergency("B")),
        (A, B),
    ),
    Scenario(
        "emergency, rollback",
        Constants(P=1),
        (actors.emergency("A"), actors.rollback("C")),
        (_key("C", State.GRACE, activated=LONG_AGO, superseded=0, verify_until=7), A, B_NEW),
    ),
    Scenario(
        "stray caller",
        Constants(P=1, skew=1),
        (actors.stray(4), actors.projector("projector")),
        (A, B_NEW),
    ),
    Scenario(
        "stray caller, emergency",
        Constants(P=1),
        (actors.stray(1), actors.emergency("A")),
        (A, B),
    ),
    Scenario(
        "emergency on grace",
        SKEW,
        (actors.emergency("A"),),
        (a_in_grace(6), B_ACTIVE, _key("C", State.STANDBY)),
    ),
    Scenario(
        "rotation, emergency, reconcile",
        Constants(P=1),
        (actors.scheduled(), actors.emergency("A"), actors.reconcile()),
        (A, B),
    ),
    Scenario(
        "rotation, reconcile, all of ε",
        Constants(P=3, skew=1, replication=1, G=1),
        (actors.scheduled(), actors.reconcile()),
        (A,),
    ),
    Scenario(
        "activation, rollback, reconcile",
        Constants(P=1),
        (actors.late_activation(), actors.rollback(), actors.reconcile()),
        (A, B),
    ),
)
LARGE = (
    Scenario(
        "rotation, emergency on standby, skew",
        SKEW,
        (actors.scheduled(), actors.emergency("B")),
        (A, B_NEW),
    ),
    Scenario(
        "rotation, rollback, reconcile",
        Constants(P=1),
        (actors.scheduled(), actors.rollback(), actors.reconcile()),
        (A, B),
    ),
    Scenario(
        "two emergencies, skew",
        Constants(skew=1),
        (actors.emergency("A"), actors.emergency("B", name="second")),
        (A, B),
    ),
    Scenario(
        "two rotations, emergency, skew",
        Constants(P=1, skew=1),
        (actors.scheduled("first"), actors.scheduled("second"), actors.emergency("A")),
        (A, B),
    ),
)
