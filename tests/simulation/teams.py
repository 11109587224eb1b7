"""Teams that declare the documents of an API and a client, narrow them, garble them and delete them.

They act in every script, seed and worst case; when and how is drawn from a random sequence of their own.
"""

from collections.abc import Mapping
from functools import partial
from random import Random

from tests.simulation.play import Play
from tests.simulation.signing import sign_with_active_key
from tests.simulation.watch.apis import STACK_WIDE, Meaning
from tests.simulation.watch.grants import CHANGING, OUTCOMES
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
    """Change the documents a few times within so many seconds; callers use the API all the time."""
    choose = Random(f"teams {seed}")
    for _ in range(choose.randint(1, _MOST)):
        play.at(choose.uniform(0, horizon), partial(_change, play, choose))
    play.traffic.every(_EVERY, play.begin + horizon, partial(_visit, play))
    lots = Random(f"clients {seed}")
    for _ in range(lots.randint(1, _MOST)):
        play.at(
            lots.uniform(0, horizon), partial(_change_client, play, lots.choice(list(OUTCOMES)))
        )


def _change_client(play: Play, text: str | None) -> None:
    """The client asks before, and when a container's view of its document is as old as it may be."""
    world, times = play.world, play.world.times
    edge = times.view_ttl + times.clock_skew
    play.traffic.issue(CHANGING)
    world.scheduler.at(world.now() + 0.1, lambda: world.grants.declare(CHANGING, text))
    for after in (0.2, times.view_ttl, edge + 0.2, times.stale_limit):
        for nth in range(3):  # each of the containers
            world.scheduler.at(world.now() + after + nth / 10, lambda: play.traffic.issue(CHANGING))


def _change(play: Play, choose: Random) -> None:
    """Tokens are shown before, and again when views and caches are as old as they may be, with new ones."""
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
    visitor = partial(sign_with_active_key, play.world, subject="visitor", client_id="visitor")
    tokens = visitor(audience="orders"), visitor(audience="billing", scope="invoices:read")
    return [token for token in tokens if token]
