"""Run one simulation and print what happened in it."""

from tests.simulation import delays, endurance, scenarios, seeds
from tests.simulation.patches import simulated
from tests.simulation.scenarios import Trouble
from tests.simulation.watch.broken import Broken
from tests.simulation.world import World
from tests.simulation.worst_cases import WORST_CASES


def show(arguments: list[str]) -> int:
    """Run a seed, a worst case, AWS late, a long run, or a script with its troubles; returns the exit status."""
    name, *troubles = arguments
    broken = ""
    with simulated():
        try:
            if name.isdecimal():
                seeds.play(int(name))
            elif name in WORST_CASES:
                WORST_CASES[name].play()
            elif name in delays.RUNS:
                delays.RUNS[name]()
            elif name in endurance.RUNS:
                print(endurance.RUNS[name]().extremes)
            else:
                scenarios.play(name, tuple(map(_trouble, troubles)))
        except (AssertionError, Broken) as error:
            broken = str(error)
    _print_run(World.running)
    print(broken or "every invariant holds")
    return 1 if broken else 0


def _trouble(text: str) -> Trouble:
    at, number, kind = text.split(" ", 2)
    return Trouble(at, int(number), kind)


def _print_run(world: World) -> None:
    print(world.times)
    print(f"clocks up to {world.skew} s apart, reads up to {world.lag} s old")
    for met in world.plan.met:
        print(f"  met: {met}")
    for execution in world.executions:
        print(f"  {execution.mode}: {execution.ended or execution.failure}")
    for landed, generation in world.truth.landed:
        keys = " ".join(f"{key.kid[:5]}={key.state}" for key in generation.keyset.all_keys)
        print(f"{landed:9.1f} s  {generation.number:3} {generation.op_id:6} "
              f"{generation.reason:20.20} {keys}")  # fmt: skip
