"""An adversary whose only permission is `lambda:InvokeFunction`, on the functions of the rotation (S13).

A step does what its event says, so the bound is what each step may do by itself, at any moment and in any
order: each checks its own guard against the keyset as it stands. The worst are `RevokeKeys`, which is denial
of service (the next reconcile replaces the keys), and `CreateKey`, whose races leave KMS keys to the sweep.
The functions beside the workflow take nothing from their events; those of the custom resources do only what
CloudFormation is doing.
"""

from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

from keyturn.rotation import keyset_resource, reconcile, record_changes, report_failure
from tests.definition import STATES, module_of, step_of
from tests.simulation.play import Play
from tests.simulation.watch.keys import ROLLED_BACK
from tests.simulation.world import STACK_ID

Event = dict[str, Any]
_STEPS = {step_of(task): name for name, task in STATES.items() if task["Type"] == "Task"}
_TIMEOUT = 840.0  # seconds: the longest of any function
_RESPONSES = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/x"


def who_may_invoke_the_steps(play: Play, choose: Random) -> None:
    """One step, perhaps several times at once, with an event of one's own."""
    step = choose.choice(sorted(_STEPS))
    event = step_event(play, choose)
    if step == "RevokeKeys":
        play.world.truth.asked |= set(event["kids"])
    for _ in range(choose.randint(1, 3)):
        _invoke(play, _STEPS[step], module_of(step), event)


def who_may_invoke_what_runs_beside(play: Play, choose: Random) -> None:
    """The repairs, the announcements, and the custom resource that founds and deletes the keyset."""
    label, module, event = choose.choice(_BESIDE)
    _invoke(play, label, module, event(choose))


def step_event(play: Play, choose: Random) -> Event:
    """What every step understands, about keys of the keyset or none."""
    kids = [key.kid for key in play.world.truth.keyset.all_keys] or ["k" * 43]
    supersede = choose.choice([None, *kids])
    request = {"mode": "scheduled", "started_by": "somebody", "supersede": supersede}
    return {
        **request,
        "request": request,
        "plan": {"op_id": "invoked", "reason": ROLLED_BACK, "supersede": supersede},
        "standby": {"outcome": "exists", "kid": choose.choice(kids)},
        "kid": choose.choice(kids),
        "kids": choose.sample(kids, choose.randint(1, min(2, len(kids)))),
        "reason": ROLLED_BACK,
    }


def _invoke(play: Play, label: str, module: ModuleType, event: Event) -> None:
    container = play.world.container(label, troubled=False)
    play.world.call(module, event, container, _TIMEOUT)


def _nonsense(choose: Random) -> Event:
    return choose.choice(({}, {"detail": {"name": "/keyturn/sim/keyset/000000000001"}}))


def _status_change(choose: Random) -> Event:
    detail = {"executionArn": "arn:aws:states:::execution:x", "status": "FAILED"}
    return {"detail": {**detail, "input": choose.choice(("[]", "{", '{"mode": 7}'))}}


def _request_of_cloudformation(choose: Random) -> Event:
    return {
        "RequestType": choose.choice(("Create", "Update", "Delete")),
        "StackId": choose.choice((STACK_ID, f"{STACK_ID}-2")),
        "RequestId": "r",
        "LogicalResourceId": "Keyset",
        "PhysicalResourceId": "Keyset",
        "ResponseURL": choose.choice((_RESPONSES, "https://evil.example")),
        "ResourceProperties": {"retain_keyset": "false"},
    }


_BESIDE: tuple[tuple[str, ModuleType, Callable[[Random], Event]], ...] = (
    ("reconcile", reconcile, _nonsense),
    ("RecordChanges", record_changes, _nonsense),
    ("ReportFailure", report_failure, _status_change),
    ("keyset", keyset_resource, _request_of_cloudformation),
    ("keyset", keyset_resource, _request_of_cloudformation),
)
