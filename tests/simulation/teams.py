"""Teams behind the stack: one declares its API's document, narrows it, garbles it, takes it away.

They act in every script, seed and worst case; when, and how, is drawn by a lot of their own.
"""

from collections.abc import Mapping
from functools import partial
from random import Random

from tests.simulation.play import Play
from tests.simulation.watch.apis import STACK_WIDE, Meaning
from tests.simulation.watch.tokens import Token

API = "second1"
_BILLING = '"audience": "billing"'
_READ = frozenset({"invoices:read"})
DOCUMENTS: Mapping[str | None, Meaning | None] = {  # by text; None is no document, or means nothing
    f"{{{_BILLING}}}": Meaning("billing"),
    f'{{{_BILLING}, "routes": {{"GET /invoices": "invoices:read"}}}}': Meaning("billing", _READ),
    f'{{{_BILLING}, "routes": {{"GET /invoices": "invoices:all"}}}}': Meaning(
        "billing", frozenset({"invoices:all"})
    ),
    '{"audience": "archive"}': Meaning("archive"),
    None: STACK_WIDE,
    "{": None,
}
_MOST = 4  # changes in a run
_EVERY = 13.0  # seconds between two visits


def unleash(play: Play, seed: str, horizon: float) -> None:
    """Let the document change a few times within so many seconds, and callers visit the API all along."""
    choose = Random(f"teams {seed}")
    for _ in range(choose.randint(1, _MOST)):
        play.at(choose.uniform(0, horizon), partial(_change, play, choose))
    play.traffic.every(_EVERY, play.begin + horizon, partial(_visit, play))


def _change(play: Play, choose: Random) -> None:
    """The same visitors come before, and when views and caches are as old as they may be; so do new ones."""
    world, times = play.world, play.world.times
    text, visitors = choose.choice(list(DOCUMENTS)), _visitors(play)
    _show(play, visitors)
    edge, stale = (limit + times.clock_skew for limit in (times.view_ttl, times.stale_limit))
    world.scheduler.at(world.now() + 0.1, lambda: world.apis.declare(API, text, DOCUMENTS[text]))
    for after in (times.view_ttl, edge + 0.2, edge + times.result_ttl + 0.3, stale + 0.2):
        world.scheduler.at(world.now() + after, partial(_show, play, visitors))
        world.scheduler.at(world.now() + after, partial(_visit, play))


def _visit(play: Play) -> None:
    _show(play, _visitors(play))


def _show(play: Play, visitors: list[Token]) -> None:
    for token in visitors:
        play.traffic.show(token, API)


def _visitors(play: Play) -> list[Token]:
    """A fresh token for each audience."""
    signed = (play.traffic.sign_for(*who) for who in (("orders", ""), ("billing", "invoices:read")))
    return [token for token in signed if token]
