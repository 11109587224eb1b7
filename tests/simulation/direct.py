"""`keyturn revoke --direct`: an operator's revocation without Step Functions."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from keyturn.cli.break_glass import run_directly
from keyturn.cli.terminal import CommandFailed
from tests.simulation.world import World


def revoke_directly(
    world: World,
    event: Mapping[str, Any],
    *,
    say: Callable[[str], None] = lambda _line: None,
    on_failure: Callable[[], None] = lambda: None,
    troubled: bool = True,
) -> None:
    """Run the command on a machine of its own; `say` gets its lines of output."""
    container = world.container("break_glass", troubled=troubled)
    ahead = timedelta(seconds=container.clock.ahead)
    deployment: Any = container.stack
    deployment.clock_offset = lambda: ahead
    terminal: Any = SimpleNamespace(say=say)

    def run() -> None:
        try:
            run_directly(terminal, deployment, event, lambda: None)
        except CommandFailed:
            on_failure()

    world.scheduler.spawn(run, container)
