"""One run: every item is run, and the run ends with a teardown whatever happens."""

import time
from collections.abc import Callable

from tools.conformance import teardown
from tools.conformance.apis import APIS
from tools.conformance.items import Item, NotReady, Outcome, Result, World
from tools.conformance.keys import ALARMS, KEYS
from tools.conformance.questions import QUESTIONS
from tools.conformance.stack import AFTERWARDS, DEPLOYMENT, HEALTH
from tools.demo.story import hold

_LAST = Item("waiting", "A rotation is left waiting", teardown.leaves_a_rotation_waiting)
ITEMS = (*QUESTIONS, DEPLOYMENT, *HEALTH, *APIS, *KEYS, *AFTERWARDS, *ALARMS, _LAST)
# What no run can show; the report lists it, so that it does not pass for tried.
OUT_OF_REACH = {
    "domain": ("A domain of one's own", "needs a certificate and a DNS zone"),
    "alert_email": ("AlertEmail", "somebody must confirm the subscription"),
    "retained_keyset": (
        "RetainKeyset=true",
        "tests/e2e has it on the local AWS; it leaves keys behind",
    ),
}
Tell = Callable[[Result], None]


class Run:
    """The items in their order; `results` is whole once `tear_down` has returned."""

    def __init__(self, world: World, tell: Tell) -> None:
        self._world = world
        self._tell = tell
        self._began = time.monotonic()
        self.results: list[Result] = []
        self.left: list[str] = []

    @property
    def hours(self) -> float:
        """Since the run began."""
        return (time.monotonic() - self._began) / 3600

    @property
    def held(self) -> bool:
        """Whether every item that was run holds, none was interrupted, and nothing remains."""
        outcomes = {result.outcome for result in self.results}
        done = {result.item.name for result in self.results} >= {item.name for item in ITEMS}
        return done and Outcome.FAILED not in outcomes and not self.left

    def go(self) -> None:
        """Run the items; one that needs what an earlier one did not make is skipped."""
        for item in ITEMS:
            self._run(item)

    def tear_down(self) -> None:
        """Delete what was created; what is left is in `left`."""
        if not self._world.created:
            return

        def gone(world: World) -> str:
            self.left = teardown.delete_stacks(world)
            hold(not self.left, "; ".join(self.left))
            return teardown.leaves_nothing(world)

        self._run(Item("nothing_left", "Nothing is left behind", gone))

    def _run(self, item: Item) -> None:
        if item.aws_only and self._world.place.is_local:
            self._add(Result(item, Outcome.NOT_RUN, "local AWS"))
            return
        began = time.monotonic()
        try:
            says = item.check(self._world)
            outcome = Outcome.ANSWERED if item.is_question else Outcome.HELD
        except NotReady as error:
            says, outcome = str(error), Outcome.NOT_RUN
        except Exception as error:  # a finding, and the others have their turn
            says = f"{type(error).__name__}: {error}"
            outcome = Outcome.ANSWERED if item.is_question else Outcome.FAILED
        self._add(Result(item, outcome, says, time.monotonic() - began))

    def _add(self, result: Result) -> None:
        self.results.append(result)
        self._tell(result)
