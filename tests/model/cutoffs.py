"""One client's cut-offs, in every order in which two operators' orders can be planned, written and repeated.

What is decided is asked of the product: keyset/token_revocation.py, timing.py, succession.py. A write is one
change of the truth (SSM creates a generation only if it is absent, so who loses a race reads again). Its reply
can be lost, and each step may run twice, however late. Clocks are up to ε ahead; a deployment may bring a key
of longer tokens; reconcile forgets at any time. A view is some earlier truth of at most C, so what holds for
the truth from the acknowledgement on holds for views C later. Time is whole seconds.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from keyturn.keyset import timing, token_revocation
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.errors import Refused
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State as KeyState
from keyturn.keyset.succession import find_violation
from keyturn.keyset.timing import Limits
from tests.periods import DEFAULTS

EPOCH = datetime(2026, 3, 1, 12, tzinfo=UTC)
SKEW = 1
TIMES = replace(DEFAULTS, clock_skew=SKEW, token_lifetime=60)
LIMITS = Limits()
CLIENT = digest_of("client")
SLACK = 2 * SKEW + 2  # within which two orders may be at once, by clocks that differ
_LAST = 5  # the last second at which somebody orders
_LATER = (1_040, 5_000)  # seconds: the tokens of the first key are dead; every token is
_VERY_LATE = _LATER[-1:]
_WRITES = 2  # of each step
_LEEWAY = 300  # the longest of any deployment


class Order(NamedTuple):
    """An order and its time in true seconds; `plan` is by the clock of the planner."""

    kind: str  # cut, block, release
    ordered: int = -1
    plan: int = -1
    writes: int = 0
    acknowledged: int = -1


class State(NamedTuple):
    """The truth, and the progress of each order."""

    now: int
    entry: tuple[int, int | None] | None  # the client's: its instant, and its end
    is_longer: bool  # a key of twice the lifetime is there
    orders: tuple[Order, ...]


def start(kinds: tuple[str, ...]) -> State:
    """The first state, without a cut-off."""
    return State(0, None, False, tuple(Order(kind) for kind in kinds))


def moves(s: State) -> Iterator[tuple[str, State, str]]:
    """Each possible next move, the state that follows, and the violation in the move, if any."""
    if s.now < _LAST:
        yield "a second passes", s._replace(now=s.now + 1), ""
    else:
        steps = _LATER if any(order.kind == "release" for order in s.orders) else _VERY_LATE
        for later in [later for later in steps if later > s.now][:1]:
            yield "a long time passes", s._replace(now=later), ""
    if not s.is_longer:
        yield "a key of longer tokens", s._replace(is_longer=True), ""
    for clock in {s.now, s.now + SKEW}:
        yield from _written(s, "reconcile", clock, None)
        for index, order in enumerate(s.orders):
            name = f"{order.kind} {index}"
            if order.ordered < 0 and s.now <= _LAST:
                planned = order._replace(ordered=s.now, plan=clock)
                yield f"{name} is planned at {clock}", _with(s, index, planned), ""
            elif order.ordered >= 0 and order.writes < _WRITES:
                yield from _written(s, name, clock, index)


def wrong(s: State) -> str:
    """The first violation in this state."""
    for order in s.orders:
        if order.acknowledged >= 0 and (violation := _s14(s, order) or _s15(s, order)):
            return violation
    if (
        s.entry
        and s.entry[1] is None
        and not any(o.kind == "block" and o.plan >= 0 for o in s.orders)
    ):
        return "S15: a client is blocked that nobody has blocked"
    return _rules(s)


def _s14(s: State, order: Order) -> str:
    last = order.ordered + SKEW  # the iat of the fastest issuer's last token before the order
    is_alive = s.now <= last + TIMES.token_lifetime + _LEEWAY
    hit = s.entry is not None and (s.entry[1] is None or last < s.entry[0])
    if order.kind == "cut" and is_alive and not hit:
        return "S14: a token that was issued before the order is not cut off"
    is_released = any(o.kind == "release" and o.ordered >= 0 for o in s.orders)
    if order.kind == "block" and not is_released and (s.entry is None or s.entry[1] is not None):
        return "S14: a client that was blocked is not"
    if order.kind == "block" and is_released and is_alive and not hit:
        return "S14: a release lets in what was issued before the block"
    return ""


def _s15(s: State, order: Order) -> str:
    latest = max(o.ordered for o in s.orders if o.ordered >= 0)
    if s.entry and s.entry[0] > latest + SLACK:
        return "S15: a cut-off hits what was issued after it"
    blocks = [o for o in s.orders if o.kind == "block" and o.ordered >= 0]
    is_later = order.kind == "release" and all(o.ordered + SLACK < order.ordered for o in blocks)
    if is_later and s.entry and s.entry[1] is None:
        return "S15: a client stays blocked after its release"
    return ""


def _rules(s: State) -> str:
    return "" if s.entry is None else _rules_of(s._replace(orders=()))


@cache
def _rules_of(s: State) -> str:
    """No generation may follow in which the client's cut-off is weaker, or gone too early."""
    assert s.entry
    before, until = s.entry
    weaker = (
        [None, (before - 1, until)]
        if until is None
        else [None, (before - 1, until), (before, until - 1)]
    )
    at = max(s.now, before)
    for entry in weaker:
        is_over = entry is None and until is not None and at > until
        if not is_over and not find_violation(
            _generation(s, s.entry, at), _generation(s, entry, at)
        ):
            return f"S14: {entry} may follow {s.entry}"
    return ""


def _written(
    s: State, name: str, clock: int, index: int | None
) -> Iterator[tuple[str, State, str]]:
    """A step reads, decides and writes; its reply arrives, or is lost."""
    unsent = None if index is None else Order(s.orders[index].kind, plan=s.orders[index].plan)
    entry, refused, bad = _answer(State(clock, s.entry, s.is_longer, ()), unsent)
    if index is None:
        if entry != s.entry:
            yield name, s._replace(entry=entry), bad
        elif s.now in _VERY_LATE and entry and entry[1] is not None:
            yield name, s, "S15: a cut-off outlives every token"
        return
    written = s._replace(entry=entry)
    order = s.orders[index]._replace(writes=s.orders[index].writes + 1)
    yield f"{name} is written, its reply is lost", _with(written, index, order), bad
    if not refused:
        first = order.acknowledged if order.acknowledged >= 0 else s.now
        heard = order._replace(acknowledged=first)
        yield f"{name} is written", _with(written, index, heard), bad


@cache
def _answer(s: State, order: Order | None) -> tuple[tuple[int, int | None] | None, bool, str]:
    """The client's cut-off after a step, whether it was refused, and what is wrong with it."""
    before, refused = _keyset(s, s.entry), False
    try:
        after = _changed(before, order, _instant(s.now))
    except Refused:
        after, refused = before, True
    entry = _entry(after)
    violation = find_violation(_generation(s, s.entry, s.now), _generation(s, entry, s.now))
    problem = f"S14: what a step writes cannot follow: {violation}" if violation else ""
    return entry, refused, problem


def forget() -> None:
    """Forget the product's remembered answers, before a mutant of it answers."""
    _answer.cache_clear()
    _rules_of.cache_clear()


def _changed(keyset: Keyset, order: Order | None, now: datetime) -> Keyset:
    """As RevokeKeys and reconcile do it."""
    if order is None:
        return token_revocation.forget_cutoffs(keyset, now, LIMITS)
    before = timing.cutoff_before(_instant(order.plan), TIMES)
    if order.kind == "release":
        return token_revocation.release(keyset, [CLIENT], before=before, times=TIMES)
    return token_revocation.cut_off(
        keyset,
        [(Claim.CLIENT, CLIENT)],
        now,
        before=before,
        times=TIMES,
        limits=LIMITS,
        block=order.kind == "block",
    )


def _with(s: State, index: int, order: Order) -> State:
    return s._replace(orders=(*s.orders[:index], order, *s.orders[index + 1 :]))


def _keyset(s: State, entry: tuple[int, int | None] | None) -> Keyset:
    lifetimes = [TIMES.token_lifetime, *([2 * TIMES.token_lifetime] if s.is_longer else [])]
    born = EPOCH - timedelta(days=1)
    keys = tuple(
        Key(kid * 43, f"arn:key/{kid}", state, lifetime, born, born, born)
        for kid, state, lifetime in zip(
            "AB", (KeyState.ACTIVE, KeyState.STANDBY), lifetimes, strict=False
        )
    )
    if entry is None:
        return Keyset(keys)
    until = None if entry[1] is None else _instant(entry[1])
    return Keyset(keys, cutoffs=(CutOff(Claim.CLIENT, CLIENT, _instant(entry[0]), until),))


def _entry(keyset: Keyset) -> tuple[int, int | None] | None:
    cutoff = keyset.cutoff(Claim.CLIENT, CLIENT)
    if cutoff is None:
        return None
    return _second(cutoff.before), None if cutoff.until is None else _second(cutoff.until)


def _generation(s: State, entry: tuple[int, int | None] | None, at: int) -> Generation:
    return Generation(1, "op", "tests", "", _instant(at), _keyset(s, entry))


def _instant(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def _second(instant: datetime) -> int:
    return int((instant - EPOCH).total_seconds())
