"""Simulated runs that together take every branch of the definition, quietly and in trouble."""

from collections.abc import Callable, Mapping
from functools import partial

from tests.simulation import faults, periods, scenarios
from tests.simulation.passage import Outage, Placed
from tests.simulation.play import Play
from tests.simulation.scenarios import active, every_key, standby

Script = Callable[[Play], None]
_LONG = 3_600.0
_YOUNG_STANDBY = scenarios.SCRIPTS["rotation onto a young standby"]
_ROLLBACK = scenarios.SCRIPTS["rollback"]


def _rotation(play: Play) -> None:
    play.at(0, play.rotate)


def _standby_revoked_before_its_probe(play: Play) -> None:
    _YOUNG_STANDBY(play)
    play.at(5, lambda: play.emergency(standby))


def _rollback_without_a_signer(play: Play) -> None:
    play.at(0, play.rotate)
    play.at(4, lambda: play.emergency(lambda play: active(play) + standby(play)))
    play.at(5, play.roll_back)


def _emergency(play: Play) -> None:
    play.at(0, lambda: play.emergency(active))


def _emergency_on_every_key(play: Play) -> None:
    play.at(0, lambda: play.emergency(every_key))


def _play(script: Script, outage: str = "", **troubles: list[str]) -> None:
    play = Play.booted(periods.CACHED)
    outages = (Outage(outage, play.begin, play.begin + _LONG, faults.denied),) if outage else ()
    play.world.plan = Placed(outages, states=troubles)
    script(play)
    play.world.scheduler.run()
    play.world.scheduler.close()


_NOT_INVOKED = "not_invoked"
_IN_TROUBLE: Mapping[str, Callable[[], object]] = {
    "woken early in the grace wait": partial(_play, _rotation, WaitForGrace=["ends_early"]),
    "woken early before the standby may sign": partial(
        _play, _YOUNG_STANDBY, WaitForPropagation=["", "ends_early"]
    ),
    "the standby is revoked before its probe": partial(_play, _standby_revoked_before_its_probe),
    "rolled back too late": partial(_play, _ROLLBACK, RollBackKey=["retries_exhausted_redriven"]),
    "rolled back without a signer": partial(
        _play, _rollback_without_a_signer, outage="kms:CreateKey"
    ),
    "Lambda fails once a step": partial(
        _play,
        _rotation,
        PlanRotation=[_NOT_INVOKED],
        ProbeKey=[_NOT_INVOKED],
        ActivateKey=[_NOT_INVOKED],
        RetireKey=["reply_lost"],
    ),
    "Lambda fails for good": partial(_play, _rotation, ActivateKey=[_NOT_INVOKED] * 9),
    "Lambda fails in an emergency": partial(
        _play, _emergency, RevokeKeys=[_NOT_INVOKED], DisableKeys=[_NOT_INVOKED] * 4
    ),
    "the keyset cannot be written": partial(_play, _rotation, outage="ssm:PutParameter"),
    "Lambda fails, then the step": partial(
        _play, _rotation, outage="ssm:PutParameter", ActivateKey=[_NOT_INVOKED, "", "reply_lost"]
    ),
    "the keyset cannot be written in an emergency": partial(
        _play, _emergency, outage="ssm:PutParameter"
    ),
    "nothing works in an emergency": partial(_play, _emergency_on_every_key, outage="*"),
    "aborted in a wait and redriven": partial(
        _play, _rotation, WaitForGrace=["aborted_redriven_after_a_minute"]
    ),
    "aborted in a step and redriven": partial(
        _play, _rotation, DestroyKey=["aborted_redriven_after_13_days"]
    ),
    "aborted in an emergency": partial(_play, _emergency, DisableKeys=["aborted_before"]),
}

SCENES: Mapping[str, Callable[[], object]] = {
    **{name: partial(scenarios.play, name) for name in scenarios.SCRIPTS},
    **_IN_TROUBLE,
}
