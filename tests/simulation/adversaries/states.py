"""An adversary whose only permission is `states:StartExecution`, with any input (S13).

The bound is what the workflow itself may do. A rotation waits all its waits, a rollback ends with the key's
grace. An emergency is denial of service: each key that it names ends and is replaced, by the run itself or
by the next reconcile. Nothing else that an input says counts: no generation has an `op_id` from outside.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.definition import STATES
from tests.simulation.executions import Execution
from tests.simulation.play import Play
from tests.simulation.watch.keys import ROLLED_BACK
from tests.simulation.watch.truth import PLANTED

Input = dict[str, Any]
_RESULTS = sorted(
    {state["ResultPath"].removeprefix("$.") for state in STATES.values() if "ResultPath" in state}
)
_BY = {"started_by": "somebody"}


def who_may_start_executions(play: Play, choose: Random) -> None:
    """At any moment, as often as the daily schedule does in days."""
    request = choose.choice(_INPUTS)(play, choose)
    play.world.truth.asked |= set(_texts(request.get("kids")))
    Execution(play.world, request, troubled=False)


def scheduled(_play: Play, _choose: Random) -> Input:
    """What the schedule sends."""
    return {"mode": "scheduled", **_BY}


def superseding(play: Play, choose: Random) -> Input:
    """A rotation of a key that is, or was, in the keyset."""
    return {"mode": "scheduled", "supersede": _some_kid(play, choose), **_BY}


def rollback(play: Play, choose: Random) -> Input:
    """To a key that may be in grace."""
    return {"mode": "rollback", "kid": _some_kid(play, choose), "reason": ROLLED_BACK, **_BY}


def emergency(play: Play, choose: Random) -> Input:
    """Of one or two keys, of which the keyset may have heard."""
    kids = [_some_kid(play, choose) for _ in range(choose.randint(1, 2))]
    return {"mode": "emergency", "kids": kids, "reason": "because I can", **_BY}


def with_results(play: Play, choose: Random) -> Input:
    """A good request that says also what the workflow's states say."""
    request = choose.choice((scheduled, superseding, rollback, emergency))(play, choose)
    kid = _some_kid(play, choose)
    plan = {"op_id": PLANTED, "reason": ROLLED_BACK, "supersede": kid, "outcome": "rotate"}
    result = {"kid": kid, "outcome": choose.choice(("created", "published", "activated"))}
    results = choose.sample(_RESULTS, choose.randint(0, len(_RESULTS)))
    return {**dict.fromkeys(results, result), **request, "plan": plan}


def garbage(play: Play, choose: Random) -> Input:
    """A request of which one member is not what it should be."""
    request = choose.choice((scheduled, superseding, rollback, emergency))(play, choose)
    name = choose.choice((*request, "request", "Plan", ""))
    return {**request, name: choose.choice((None, 7, [], {}, "x" * 1_000, [[request]]))}


_INPUTS: tuple[Callable[[Play, Random], Input], ...] = (
    scheduled,
    superseding,
    rollback,
    emergency,
    with_results,
    with_results,
    garbage,
)


def _some_kid(play: Play, choose: Random) -> str:
    return choose.choice(["k" * 43, *(key.kid for key in play.world.truth.keyset.all_keys)])


def _texts(kids: Any) -> list[str]:
    return [kid for kid in kids if isinstance(kid, str)] if isinstance(kids, list) else []
