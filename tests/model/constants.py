"""The periods of one scenario, small enough to exhaust and different enough to tell terms apart.

Time is discrete: one tick is one second, and every instant in a state is counted from now. `ε` of the
design is split in two, because its two causes show in different places: `skew` is by how much two
machines' clocks differ, `replication` is how old an answer of SSM may be. Their sum is the product's ε.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import cast
from unittest.mock import patch

from keyturn.keyset import timing
from keyturn.keyset.timing import Limits, Times

NOW = datetime(
    2000, 1, 1, tzinfo=UTC
)  # what the product takes for now; instants are counted from here
KIDS = "ABCDEFGH"  # in the order in which keys are registered


def instant(seconds: int) -> datetime:
    """The datetime that lies `seconds` after now."""
    return NOW + timedelta(seconds=seconds)


def seconds(at: datetime) -> int:
    """How many seconds `at` lies after now."""
    return int((at - NOW).total_seconds())


@dataclass(frozen=True)
class Constants:
    """The letters of docs/time.md, in seconds, and what else a scenario may vary."""

    C: int = 1
    P: int = 2
    L: int = 1
    leeway: int = 0  # λ
    skew: int = 0
    replication: int = 0
    tau: int = 1
    omega: int = 1
    G: int = 0
    R: int = 4
    stale: int = 0  # above 0: SSM cannot be read, and authorizers go on for this long
    lifetime: int = 0  # of the keys that are there at the start; 0: L (another L was deployed)
    claim: int = 1000  # how old a KMS key may be when it is registered
    ended: int = 1000  # how long an ended key is listed
    live: int = 10  # how many live keys the JWKS may hold
    keys: int = 6  # how many keys may be registered, besides two that L1 may need
    cuts: bool = False  # a client's tokens may be cut off: the keyset's cut-offs matter
    by_age: bool = False  # rotations are due by age, none is requested: `activated` matters
    finds_own_activation: bool = True  # PlanRotation finds one whose reply it never got
    slow_reads: bool = False  # PublishJwks reads the generation at one time and the JWKS at another
    etag_of_keys: bool = False  # a broken design: the JWKS's body does not say its generation

    def __str__(self) -> str:
        letters = {"C": self.C, "P": self.P, "L": self.L, "λ": self.leeway, "σ": self.skew}
        letters |= {"ρ": self.replication, "τ": self.tau, "ω": self.omega, "G": self.G}
        rare = {"R": self.R if self.by_age else 0, "stale": self.stale, "lifetime": self.lifetime}
        shown = {**letters, **{name: value for name, value in rare.items() if value}}
        return " ".join(f"{name}{value}" for name, value in shown.items())

    @cached_property
    def times(self) -> Times:
        """The same as the product's settings; not `checked()`, whose bounds are for production."""
        return Times(
            view_ttl=self.C,
            propagation=self.P,
            token_lifetime=self.L,
            leeway=self.leeway,
            clock_skew=self.epsilon,
            issuer_timeout=self.tau,
            write_delay=self.omega,
            result_ttl=self.G,
            rotation_period=self.R,
            stale_limit=max(self.stale, self.C),
            jwks_max_age=1,
            cdn_ttl=0,
        )

    @cached_property
    def limits(self) -> Limits:
        """The fixed limits, as this scenario has them."""
        claim, ended = timedelta(seconds=self.claim), timedelta(seconds=self.ended)
        return Limits(registration_age=claim, ended_age=ended, live_keys=self.live)

    @contextmanager
    def short_margins(self) -> Iterator[None]:
        """While it lasts the longest λ and ε of any deployment are this one's, so that cut-offs end soon."""
        longest = {"leeway": (0, self.leeway), "clock_skew": (0, self.epsilon)}
        with (
            patch.dict(cast("dict[str, tuple[int, int]]", timing.BOUNDS), longest),
            patch.object(timing, "MAX_CLOCK_DIFFERENCE", timedelta(0)),
        ):
            yield

    @property
    def cut_life(self) -> int:
        """How long a cut-off may be needed, from its instant on: the longest lifetime, λ, ε."""
        return max(self.L, self.lifetime) + self.leeway + self.epsilon

    @property
    def cut_memory(self) -> int:
        """After this many seconds it makes no difference any more when a cut-off was planned."""
        return self.cut_life + self.omega + self.epsilon + 3

    @property
    def epsilon(self) -> int:
        """The product's ε."""
        return self.skew + self.replication

    @property
    def fresh(self) -> int:
        """How long ago the generation that a view of age C shows can have been superseded."""
        return self.C + self.replication

    @property
    def believed(self) -> int:
        """The same for an authorizer: while SSM cannot be read its view may be older than C."""
        return max(self.C, self.stale) + self.replication

    @property
    def signing(self) -> int:
        """The same for an issuer, which looks at its view and may take τ to sign."""
        return self.fresh + self.tau

    @property
    def forgotten(self) -> int:
        """After this no view shows the generation any more."""
        return max(self.believed, self.signing)

    @property
    def remembers_ends(self) -> bool:
        """Whether the instants at which a key was born and ended can make a difference."""
        return self.ended < 1000

    @property
    def memory(self) -> int:
        """After this many seconds it makes no difference any more when a key was born, or ended."""
        return max(self.ended, self.claim) + self.omega + 1

    @property
    def patience(self) -> int:
        """After this many seconds in a step it makes no difference when the step began."""
        return self.omega + (self.claim + 1 if self.remembers_ends else 0)

    @property
    def waits(self) -> int:
        """More than the longest wait for a publication: what was published earlier makes no difference."""
        return max(self.P, self.C) + 2 * self.omega + self.epsilon + 1
