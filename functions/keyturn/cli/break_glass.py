"""An emergency without Step Functions and Lambda: the same steps in the same order, run locally."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.terminal import CommandFailed, Terminal
from keyturn.rotation import (
    conclude_emergency,
    disable_keys,
    flush_authorizers,
    plan_rotation,
    publish_jwks,
    replace_keys,
    revoke_keys,
)
from keyturn.rotation.conclude_emergency import ConclusionInput, EmergencyIncomplete
from keyturn.rotation.task import EmergencyInput

_STEPS: tuple[tuple[str, Callable[..., Any], Any], ...] = (
    ("revocation", revoke_keys.run, EmergencyInput),
    ("disabling", disable_keys.run, EmergencyInput),
    ("publication", publish_jwks.run, publish_jwks.PublishInput),
    ("replacement", replace_keys.run, EmergencyInput),
    ("republication", publish_jwks.run, publish_jwks.PublishInput),
    ("flush", flush_authorizers.run, EmergencyInput),
)


_BY_CLOCK = {"cut_off", "block", "release"}  # whose time comes from this machine's clock


def run_directly(
    terminal: Terminal,
    deployment: Deployment,
    event: Mapping[str, Any],
    before_flush: Callable[[], None],
) -> None:
    """Do what the state machine would; a failing step stops none after it. Raises CommandFailed.

    `before_flush` is done before the wait for the flush.
    """
    if event.keys() & _BY_CLOCK:
        _check_clock(deployment)
    plan = plan_rotation.run(deployment, plan_rotation.PlanInput(request=event))
    state: dict[str, Any] = {**event, "request": event, "plan": plan}
    for name, run, input_type in _STEPS:
        if name == "flush":
            with suppress(Exception):  # it reports its own problems
                before_flush()
            deployment.clock.sleep(plan["seconds_until_flush"])
        try:
            state[name] = run(deployment, input_type.model_validate(state))
        except Exception as error:  # noqa: BLE001 - as the state machine catches States.ALL
            state[name] = {"Error": f"{type(error).__name__}: {error}"}
        terminal.say(f"  {name}: {state[name].get('outcome') or state[name].get('Error')}")
    try:
        conclude_emergency.run(deployment, ConclusionInput.model_validate(state))
    except EmergencyIncomplete as error:
        raise CommandFailed(str(error)) from None


def _check_clock(deployment: Deployment) -> None:
    """A slow clock would cut off too little, a fast one tokens that are yet to be issued."""
    offset = abs(deployment.clock_offset())
    if offset > timedelta(seconds=deployment.settings.times.clock_skew):
        raise CommandFailed(
            f"this machine's clock is {offset.total_seconds():.0f} s off AWS's",
            "set it, or run the command without --direct",
        )
