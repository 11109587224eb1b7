"""Operators who revoke tokens: a client's, a subject's or single ones; and block a client, and release it.

They act in every script, seed and worst case; when and how is drawn from a random sequence of their own. Their
client is one that only they cut off; it requests and shows tokens all the time, and more often at the edges.
"""

from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Any

from keyturn.keyset.cutoffs import Claim
from tests.simulation.direct import revoke_directly
from tests.simulation.executions import Execution
from tests.simulation.play import Play
from tests.simulation.signing import sign_with_active_key
from tests.simulation.watch.cutoffs import CLIENT, SUBJECT
from tests.simulation.watch.orders import Entry, Order, Value, digest

Choose = Callable[[Play], Iterable[Value]]

_MOST = 2  # of each lot in a run
_EVERY = 11.0  # seconds between two visits
_LEAD = 0.3  # seconds from the last request to the order


def the_client(_play: Play) -> list[Value]:
    """By its name."""
    return [("client_id", digest(CLIENT))]


def the_subject(_play: Play) -> list[Value]:
    """The subject of its tokens."""
    return [("sub", digest(SUBJECT))]


def the_last_tokens(play: Play) -> list[Value]:
    """One or two of them; the others still work."""
    return [("jti", digest(token.claims["jti"])) for token in play.world.cutoffs.issued[-2:]]


def several(play: Play) -> list[Value]:
    """Of every kind, in one write."""
    return [*the_client(play), *the_subject(play), *the_last_tokens(play)]


def unleash(play: Play, seed: str, horizon: float) -> None:
    """Let them act a few times within so many seconds; the client requests tokens all the time."""
    choose = Random(f"cut-offs {seed}")
    expect_visits(play, horizon)
    for _ in range(choose.randint(1, _MOST)):
        cut = choose.choice((the_client, the_subject, the_last_tokens, the_last_tokens, several))
        revocation = partial(take_back, play, cut, by_hand=choose.random() < 0.3, troubled=False)
        play.at(choose.uniform(0, horizon), revocation)
    if choose.random() < 0.5:
        since = choose.uniform(0, horizon)
        until = since + slack_of(play) + choose.uniform(0, 60)
        for at, act in ((since, block), (until, release)):
            by_hand = choose.random() < 0.3
            play.at(at, partial(act, play, by_hand=by_hand, troubled=False))


def expect_visits(play: Play, horizon: float) -> None:
    """The client comes regularly; tokens are signed at the edges of each cut-off."""
    play.world.cutoffs.on_entry = partial(_show_at_its_edge, play)
    play.traffic.every(_EVERY, play.begin + horizon, partial(visit, play))


def take_back(play: Play, cut: Choose, *, by_hand: bool = False, troubled: bool = True,
              kids: Callable[[Play], list[str]] = lambda _play: []) -> None:  # fmt: skip
    """Cut these values off; the client gets a token just before."""
    visit(play)

    def act() -> None:
        order = Order(play.world.now(), cut=frozenset(cut(play)))
        if order.cut:
            _order(play, order, kids(play), by_hand=by_hand, troubled=troubled)

    play.world.scheduler.at(play.world.now() + _LEAD, act)


def slack_of(play: Play) -> float:
    """Seconds within which two orders may be at once, by clocks that differ."""
    return 2 * play.world.times.clock_skew + 2.0


def block(play: Play, *, by_hand: bool = False, troubled: bool = True) -> None:
    """Refuse the client's tokens and its requests."""
    visit(play)
    order = Order(play.world.now(), blocked=frozenset(the_client(play)))
    _order(play, order, [], by_hand=by_hand, troubled=troubled)


def release(play: Play, *, by_hand: bool = False, troubled: bool = True) -> None:
    """Accept the client's tokens and its requests again."""
    standing = play.world.truth.keyset.cutoff(Claim.CLIENT, digest(CLIENT))
    order = Order(play.world.now(), released=frozenset(the_client(play)))
    order.is_idle = not (standing and standing.is_block)
    _order(play, order, [], by_hand=by_hand, troubled=troubled)


def _order(
    play: Play, order: Order, kids: list[str], *, by_hand: bool = False, troubled: bool
) -> None:
    world, times = play.world, play.world.times
    reason = f"order {len(world.cutoffs.orders)}"
    world.cutoffs.orders[reason] = order
    world.truth.asked |= set(kids)
    event = _event(order, kids, reason)
    if by_hand:
        _directly(play, order, event, troubled=troubled)
    else:
        Execution(world, event, troubled=troubled)
    edge, stale = (limit + times.clock_skew for limit in (times.view_ttl, times.stale_limit))
    for after in (
        0.1,
        times.view_ttl - 0.1,
        edge + 0.2,
        edge + times.result_ttl + 0.3,
        stale + 0.2,
    ):
        world.scheduler.at(world.now() + after, partial(visit, play))


def _event(order: Order, kids: list[str], reason: str) -> dict[str, Any]:
    cut: dict[str, list[str]] = {}
    for claim, value in sorted(order.cut):
        cut.setdefault(claim, []).append(value)
    return {
        "mode": "emergency",
        "kids": kids,
        "cut_off": cut,
        "block": [value for _, value in order.blocked],
        "release": [value for _, value in order.released],
        "reason": reason,
        "started_by": "operator",
    }


def _directly(play: Play, order: Order, event: dict[str, Any], *, troubled: bool) -> None:
    world = play.world

    def read_output(line: str) -> None:
        step, _, outcome = line.strip().partition(": ")
        if step == "revocation":
            order.planned = world.now()
            if outcome == "revoked":
                order.acknowledged = world.now()

    revoke_directly(world, event, say=read_output, troubled=troubled)


def visit(play: Play) -> None:
    """The client requests a token, and shows its last ones."""
    play.traffic.issue(CLIENT)
    for token in play.world.cutoffs.issued[-3:]:
        play.traffic.show(token)


def _show_at_its_edge(play: Play, entry: Entry) -> None:
    """A token of the last second that it hits, and one of the first that it does not."""
    world, times = play.world, play.world.times
    claim, value = entry.value
    names = {digest(CLIENT): CLIENT, digest(SUBJECT): SUBJECT}
    names |= {digest(token.claims["jti"]): token.claims["jti"] for token in world.cutoffs.issued}
    if value not in names:
        return

    def sign_and_show() -> None:
        edge = times.view_ttl + times.clock_skew
        for number, issued_at in enumerate((entry.before - 1, entry.before)):
            other = f"edge-{number}-{world.now()}"
            claims = {"client_id": other, "sub": other, "jti": other, claim: names[value]}
            claims["subject"] = claims.pop("sub")
            token = sign_with_active_key(world, at=issued_at, **claims)
            for after in (0.0, edge + 0.1):
                if token:
                    world.scheduler.at(world.now() + after, partial(play.traffic.show, token))

    world.scheduler.at(max(world.now(), entry.before) + 0.1, sign_and_show)
