"""What each margin of the product is for: clocks that are ahead, calls that are slow, requests at the worst moment.

Here troubles are placed by the names of steps, where scenarios.py and seeds.py spread them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from keyturn.keyset.timing import Times
from tests.simulation import faults, operators, periods
from tests.simulation.faults import Fault
from tests.simulation.passage import Outage, Placed
from tests.simulation.play import Play
from tests.simulation.scenarios import active, every_key, standby, unleash_others

_SWAP = 10.0  # seconds after the beginning: a rotation swaps keys in no time
_LONG = 600.0

Script = Callable[[Play], None]


@dataclass(frozen=True)
class WorstCase:
    """A script, and its troubles. If some clocks are `ahead`, by all of ε, the others are right."""

    script: Script
    times: Times = periods.USUAL
    ahead: tuple[str, ...] = ()
    reads_lag: bool = False  # by all of ε; then all clocks are right
    calls: Mapping[tuple[str, str], tuple[Fault | None, ...]] = field(default_factory=dict)
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outages: tuple[tuple[str, Fault], ...] = ()  # from a few seconds after the beginning

    def play(self) -> Play:
        """The whole run; raises Broken."""
        skew = 0.0 if self.reads_lag else float(self.times.clock_skew)
        run = Play.booted(self.times, skew=skew, clocks=self._clock_ahead if self.ahead else None)
        since, until = run.begin + 5, run.begin + _LONG / 2
        outages = tuple(Outage(what, since, until, fault) for what, fault in self.outages)
        run.world.plan = Placed(outages, self.calls, self.states)
        self.script(run)
        unleash_others(run, self.script.__name__, _LONG / 2)
        run.finish()
        return run

    def _clock_ahead(self, label: str) -> float:
        return float(self.times.clock_skew) if label in self.ahead else 0.0


def _with_two_fresh_views(play: Play, instant: float) -> None:
    """Both issuers read the keyset just before, and do not read it again for C seconds."""
    for _ in range(2):
        play.at(instant - 0.05, play.traffic.issue)


def _swap(play: Play) -> None:
    _with_two_fresh_views(play, _SWAP)
    play.at(_SWAP, play.rotate)


def _swap_after_a_deployment(play: Play) -> None:
    shorter = max(1, play.world.times.token_lifetime // 20)
    play.at(0, lambda: play.world.deploy(token_lifetime=shorter))
    _swap(play)


def _swap_while_issuers_cannot_read(play: Play) -> None:
    _swap(play)
    play.traffic.every(2, play.begin + _LONG / 10, play.traffic.issue)


def _young_standby(play: Play) -> None:
    play.at(0, play.rotate)
    play.at(play.world.times.write_delay, play.supersede)


def _rollback_at_once(play: Play) -> None:
    play.at(0, play.rotate)
    play.at(0.2, play.roll_back)


def _late_projector(play: Play) -> None:
    """The JWKS that it is writing has a standby that is revoked meanwhile."""
    play.at(0, play.rotate)
    play.at(1, lambda: play.emergency(standby))


def _late_projector_of_three(play: Play) -> None:
    """Meanwhile the object in the bucket is again what it was."""
    play.at(0, play.rotate)
    play.at(0.5, play.reconcile)
    play.at(1, lambda: play.emergency(standby))


def _revocation_that_cannot_be_written(play: Play) -> None:
    play.at(_SWAP, lambda: play.emergency(active))


def _busy_authorizers(play: Play) -> None:
    play.traffic.every(5, play.begin + 60, play.traffic.issue)
    play.traffic.every(0.7, play.begin + 60, play.traffic.show)
    play.at(20, play.rotate)


def _a_registration_that_comes_back(play: Play) -> None:
    """Its key has ended and is forgotten by the time it notices that its reply was lost."""
    play.at(0, play.rotate)
    late = 0.9 * play.world.times.write_delay
    for number in range(6):
        play.at(0.1 + number * 0.1, lambda: play.emergency(every_key))
    play.at(late - 0.1, lambda: play.emergency(standby))


def _cut_off(play: Play) -> None:
    """The client gets a token just before, and another just before the step runs again."""
    again = 2.5 * play.world.times.rotation_period
    play.at(_SWAP, lambda: operators.take_back(play, operators.the_client))
    play.at(_LONG / 6, lambda: operators.take_back(play, operators.the_client))
    for second in range(-4, 8, 2):
        play.at(_SWAP + again + second, lambda: operators.visit(play))


def _block(play: Play) -> None:
    play.at(_SWAP, lambda: operators.block(play))
    play.at(_LONG / 6, lambda: operators.release(play))


def _released_at_once(play: Play) -> None:
    """The block's write is on its way for as long as a write may be."""
    play.at(_SWAP, lambda: operators.block(play))
    play.at(_SWAP + operators.slack_of(play) + 0.5, lambda: operators.release(play))


WORST_CASES: Mapping[str, WorstCase] = {
    "a young standby, and who activates it is ahead and early": WorstCase(
        _young_standby,
        ahead=("ActivateKey",),
        states={"WaitForPropagation": ("", "ends_just_early")},
    ),
    "a young standby, long views, and its publication lands late": WorstCase(
        _young_standby,
        periods.LONG_VIEWS,
        ahead=("ActivateKey",),
        calls={("PublishJwksAfterActivate", "ssm:PutParameter"): (faults.slow,)},
        states={"WaitForPropagation": ("", "ends_just_early")},
    ),
    "a young standby, and its wait ends at once": WorstCase(
        _young_standby, states={"WaitForPropagation": ("", "ends_early")}
    ),
    "issuers with old views, ahead of who swapped": WorstCase(
        _swap, periods.LONG_VIEWS, ahead=("issuer", "authorizer", "RetireKey", "StepFunctions")
    ),
    "issuers with old views after a deployment of shorter tokens": WorstCase(
        _swap_after_a_deployment, periods.EXACT
    ),
    "issuers that cannot read the keyset": WorstCase(
        _swap_while_issuers_cannot_read,
        periods.PATIENT,
        calls={("issuer", "ssm:GetParameters"): (None, None, *[faults.server_error] * 60)},
    ),
    "a rollback between two attempts to activate": WorstCase(
        _rollback_at_once, states={"ActivateKey": ("reply_lost",)}
    ),
    "a late projector": WorstCase(
        _late_projector, calls={("PublishJwksAfterActivate", "s3:PutObject"): (faults.slow, None)}
    ),
    "a late projector of three": WorstCase(
        _late_projector_of_three,
        calls={
            ("PublishJwksAfterActivate", "s3:PutObject"): (faults.slow, None),
            ("ReplaceKeys", "kms:CreateKey"): (faults.slow,),
        },
    ),
    "a revocation that cannot be written": WorstCase(
        _revocation_that_cannot_be_written, outages=(("ssm:PutParameter", faults.denied),)
    ),
    "a registration that comes back when its key is forgotten": WorstCase(
        _a_registration_that_comes_back,
        calls={
            ("CreateKeyAfterActivate", "ssm:PutParameter"): (faults.lost_late,),
            ("ReplaceKeys", "kms:CreateKey"): (*[None] * 12, faults.slow, faults.slow),
        },
    ),
    "a client that is cut off, and its issuers are ahead": WorstCase(_cut_off, ahead=("issuer",)),
    "a cut-off whose step runs again after the next": WorstCase(
        _cut_off, states={"RevokeKeys": ("invoked_again_later",)}
    ),
    "a block whose step runs again after its release": WorstCase(
        _block, states={"RevokeKeys": ("invoked_again_later",)}
    ),
    "a release that overtakes its block": WorstCase(
        _released_at_once,
        periods.SLOW_WRITES,
        calls={("RevokeKeys", "ssm:PutParameter"): (faults.slow,)},
    ),
    "authorizers whose reads show the past": WorstCase(
        _busy_authorizers,
        periods.SKEWED,
        reads_lag=True,
        calls={
            ("authorizer", name): (None, None, faults.stale)
            for name in ("ssm:GetParameters", "ssm:GetParametersByPath")
        },
    ),
    "authorizers whose reads are slow": WorstCase(
        _busy_authorizers,
        periods.PATIENT,
        calls={("authorizer", "ssm:GetParameters"): (faults.slow_reply,)},
    ),
    "authorizers that cannot read": WorstCase(
        _busy_authorizers, periods.EXACT, outages=(("ssm:Get*", faults.server_error),)
    ),
}
