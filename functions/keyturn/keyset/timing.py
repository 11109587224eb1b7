"""When a change may happen: one line of arithmetic per rule. `docs/time.md` explains each term.

Stored instants are rounded up to whole seconds, so that rounding can only lengthen a wait.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Self

from keyturn.keyset.errors import ContradictorySettings
from keyturn.keyset.model import MAX_BYTES, MAX_LIVE_KEYS

BOUNDS: Mapping[str, tuple[int, int]] = {
    "view_ttl": (1, 300),
    "propagation": (1, 172_800),
    "token_lifetime": (1, 86_400),
    "leeway": (0, 300),
    "clock_skew": (0, 60),
    "issuer_timeout": (1, 29),
    "write_delay": (1, 900),
    "result_ttl": (0, 3_600),
    "rotation_period": (1, 31_622_400),
    "stale_limit": (1, 86_400),
    "jwks_max_age": (1, 172_800),
    "cdn_ttl": (0, 172_800),
}

LONGEST_MARGIN = timedelta(  # the longest a grace period can exceed the key's lifetime
    seconds=sum(
        BOUNDS[name][1]
        for name in ("write_delay", "view_ttl", "issuer_timeout", "leeway", "clock_skew")
    )
)

# AWS refuses requests more than 5 minutes off its clock (SigV4): two clocks differ by 10 at most.
MAX_CLOCK_DIFFERENCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Times:
    """Every period of a deployment, in whole seconds; the letters are those of `docs/time.md`."""

    view_ttl: int  # C
    propagation: int  # P
    token_lifetime: int  # L
    leeway: int  # λ
    clock_skew: int  # ε
    issuer_timeout: int  # τ
    write_delay: int  # ω
    result_ttl: int  # G
    rotation_period: int  # R
    stale_limit: int
    jwks_max_age: int
    cdn_ttl: int

    def validate(self) -> Self:
        """These times; raises ContradictorySettings with the arithmetic of every contradiction."""
        contradictions = (*_out_of_bounds(self), *_contradictions(self))
        if contradictions:
            raise ContradictorySettings(contradictions)
        return self


@dataclass(frozen=True, slots=True)
class Limits:
    """Fixed ages and numbers, passed as arguments so that simulations can vary them."""

    generation_age: timedelta = timedelta(hours=1)  # an older generation may be deleted
    generation_count: int = 40  # above this number the oldest may be deleted at once
    settling_time: timedelta = timedelta(
        minutes=10
    )  # after this, no run is still at work on a generation
    registration_age: timedelta = timedelta(hours=1)  # a created key may still be registered
    ended_age: timedelta = timedelta(hours=48)  # a retired or revoked key is no longer listed
    orphan_age: timedelta = timedelta(hours=2)  # an older unregistered KMS key is swept
    newborn_age: timedelta = timedelta(minutes=5)  # KMS may not know a younger key everywhere
    live_keys: int = MAX_LIVE_KEYS
    listed_keys: int = 12  # live and ended keys together that fit into a Standard parameter
    document_bytes: int = MAX_BYTES


def whole_second(instant: datetime) -> datetime:
    """`instant`, rounded up."""
    floor = instant.replace(microsecond=0)
    return floor if floor == instant else floor + timedelta(seconds=1)


def wake_after(instant: datetime, times: Times) -> datetime:
    """The first whole second at which `now > instant` holds on every machine.

    The clock that wakes the workflow can be ε ahead of the clock that the next step reads.
    """
    return instant.replace(microsecond=0) + timedelta(seconds=1 + times.clock_skew)


def publication_wait(times: Times) -> timedelta:
    """From publication until every verifier knows the key: max(P, C) + ω + ε."""
    return timedelta(
        seconds=max(times.propagation, times.view_ttl) + times.write_delay + times.clock_skew
    )


def grace_period(times: Times, lifetime: int) -> timedelta:
    """From supersession until all tokens have expired: ω + C + τ + lifetime + λ + ε."""
    margin = times.write_delay + times.view_ttl + times.issuer_timeout
    return timedelta(seconds=margin + lifetime + times.leeway + times.clock_skew)


def may_sign_after(published: datetime, times: Times) -> datetime:
    """A standby is activated only when `now` is strictly later, while another key is active."""
    return published + publication_wait(times)


def verify_until(superseded: datetime, lifetime: int, times: Times) -> datetime:
    """Until when a superseded key's tokens are accepted; stored, and enforced by the reader."""
    return superseded + grace_period(times, lifetime)


def retire_after(until: datetime, times: Times) -> datetime:
    """A grace key is retired only when `now` is strictly later: verify_until + ε."""
    return until + timedelta(seconds=times.clock_skew)


def roll_back_before(until: datetime, times: Times) -> datetime:
    """A grace key is rolled back only when `now` is strictly earlier: verify_until - ω - C - ε."""
    margin = times.write_delay + times.view_ttl + times.clock_skew
    return until - timedelta(seconds=margin)


def cutoff_before(ordered_at: datetime, times: Times) -> datetime:
    """The time of a cut-off ordered at `ordered_at`: later than any `iat` up to then."""
    return whole_second(ordered_at + timedelta(seconds=times.clock_skew + 1))


def cutoff_until(before: datetime, lifetime: int) -> datetime:
    """When a cut-off's last token has expired: lifetime + λ + ε + the writers' clock difference.

    `lifetime` is the longest of any live key, in seconds. λ and ε are the largest of any
    deployment, since the next deployment may change them.
    """
    margin = BOUNDS["leeway"][1] + BOUNDS["clock_skew"][1]
    return before + timedelta(seconds=lifetime + margin) + MAX_CLOCK_DIFFERENCE


def block_by(before: datetime) -> datetime:
    """Until when a block may be written: up to then, any later release is still listed."""
    return cutoff_until(before, 0) - timedelta(seconds=BOUNDS["clock_skew"][1])


def due_at(activated: datetime, times: Times) -> datetime:
    """When an active key is due to be superseded: activated + R."""
    return activated + timedelta(seconds=times.rotation_period)


def revocation_bound(times: Times) -> timedelta:
    """From a revocation's write until no authorizer accepts the kid: C + G + ε."""
    return timedelta(seconds=times.view_ttl + times.result_ttl + times.clock_skew)


def issuing_bound(times: Times) -> timedelta:
    """From a write until no container of the issuer uses the previous state: C + ε."""
    return timedelta(seconds=times.view_ttl + times.clock_skew)


def token_bound(times: Times, lifetime: int) -> timedelta:
    """From a write until no token issued before it is accepted: C + τ + lifetime + λ + G + ε."""
    margin = times.view_ttl + times.issuer_timeout + times.leeway + times.result_ttl
    return timedelta(seconds=margin + lifetime + times.clock_skew)


def outage_bound(times: Times) -> timedelta:
    """The revocation bound while SSM cannot be read: StaleLimit + G + ε."""
    return timedelta(seconds=times.stale_limit + times.result_ttl + times.clock_skew)


def _out_of_bounds(times: Times) -> tuple[str, ...]:
    return tuple(
        f"{name} is {value} s, outside {BOUNDS[name][0]} to {BOUNDS[name][1]} s"
        for name, value in asdict(times).items()
        if not BOUNDS[name][0] <= value <= BOUNDS[name][1]
    )


def _contradictions(times: Times) -> tuple[str, ...]:
    contradictions = []
    if times.view_ttl > times.stale_limit:
        contradictions.append(
            f"view_ttl ({times.view_ttl} s) must not exceed stale_limit ({times.stale_limit} s)"
        )
    if times.jwks_max_age + times.cdn_ttl > times.propagation:
        contradictions.append(
            f"jwks_max_age + cdn_ttl ({times.jwks_max_age} + {times.cdn_ttl} s) "
            f"must not exceed propagation ({times.propagation} s)"
        )
    if times.clock_skew > times.leeway:
        contradictions.append(
            f"clock_skew ({times.clock_skew} s) must not exceed leeway ({times.leeway} s)"
        )
    wait = int(publication_wait(times).total_seconds())
    grace = int(grace_period(times, times.token_lifetime).total_seconds())
    if times.rotation_period < wait + grace + times.clock_skew:
        contradictions.append(
            f"rotation_period ({times.rotation_period} s) must be at least "
            f"publication wait {wait} + grace {grace} + clock_skew {times.clock_skew} "
            f"= {wait + grace + times.clock_skew} s"
        )
    return tuple(contradictions)
