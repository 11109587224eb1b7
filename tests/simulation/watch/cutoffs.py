"""S14 and S15: revoked tokens are refused in time, and no others.

The arithmetic is written anew, by true time, from what operators ordered and when it was acknowledged; the
digests, too (orders.py).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.model import Generation, Keyset
from tests.cloud.interpreter import Task
from tests.cloud.ssm import Ssm
from tests.simulation.watch.broken import insist
from tests.simulation.watch.orders import Entry, Orders, digest, values_of
from tests.simulation.watch.tokens import Answer, Token
from tests.simulation.watch.truth import Truth

CLIENT, SUBJECT = "client-3", "user-3"  # whose tokens are taken back; nobody else has them
REQUEST = {"subject": SUBJECT, "scope": "orders:read"}
CUT_OFF = "cut_off"  # the authorizer's code
_DOCUMENT = f'{{"audiences": ["orders"], "subjects": ["{SUBJECT}"], "scopes": ["orders:read"]}}'
_LONGEST_LEEWAY, _LONGEST_SKEW, _WRITERS_CLOCKS = 300, 60, 600  # seconds, of any deployment
_RECONCILE = 120.0  # seconds that a run may take
_BLOCKED, _UNAVAILABLE = "unauthorized_client", "temporarily_unavailable"


@dataclass(kw_only=True)
class CutOffs(Orders):
    """Every order, every entry that landed, and every token of the client."""

    truth: Truth
    now: Callable[[], float]
    epoch: float
    entries: list[Entry] = field(default_factory=list)
    issued: list[Token] = field(default_factory=list)
    on_entry: Callable[[Entry], None] = lambda _entry: None
    _longest: int = 0  # lifetime of any key, in seconds

    def declare(self, ssm: Ssm) -> None:
        """The client may ask for tokens."""
        ssm.declare(f"/keyturn/sim/clients/{CLIENT}", _DOCUMENT)

    # ---- what is stored

    def landed(self, before: Keyset, generation: Generation) -> None:
        """A generation landed: no cut-off is weaker than it was, or gone while a token of it lives."""
        after = {entry.value: entry for entry in map(self._entry, generation.keyset.cutoffs)}
        lifetimes = [key.lifetime for key in generation.keyset.keys]
        self._longest = max(self._longest, self.times.token_lifetime, *lifetimes)
        for old in map(self._entry, before.cutoffs):
            self._may_follow(old, after.get(old.value))
        for value, entry in after.items():
            if (value, entry.before, entry.until) not in {
                (one.value, one.before, one.until) for one in self.entries
            }:
                self.entries.append(entry)
                self.on_entry(entry)

    def promised(self, task: Task, done: tuple[str, Any], *, flushed: bool) -> None:
        """A step of an execution said that it is done, and which outcome it had."""
        request = task.data.get("request") or task.data
        reason = request.get("reason") if isinstance(request, Mapping) else None
        order = self.orders.get(reason) if isinstance(reason, str) else None
        if not order:
            return
        if task.step == "PlanRotation":
            order.planned = self.now()
        if order.released and self.truth.hidden_until(self.now()) >= order.ordered:
            return  # somebody's deletion hid the block from it
        if done == ("RevokeKeys", "revoked"):
            order.acknowledged = min(order.acknowledged, self.now())
        if flushed:
            order.flushed = min(order.flushed, self.now())

    def judge(self, keyset: Keyset, *, undisturbed: bool) -> None:
        """All is quiet, and reconcile has run: what must stand stands, what is over is gone."""
        for order in self._standing() if undisturbed else ():
            done = order.acknowledged < math.inf or order.is_idle
            insist(
                done or self._is_beside_another(order),
                "L2",
                "an order is not acknowledged, and nothing went wrong",
            )
        standing = [self._entry(cutoff) for cutoff in keyset.cutoffs]
        for entry in standing:
            if entry.until == math.inf:
                insist(not self._is_released(entry.value, self.now()), "S15", "a client stays blocked after its release")  # fmt: skip
            else:
                longest: float = self._longest + _LONGEST_LEEWAY + _LONGEST_SKEW + _WRITERS_CLOCKS
                longest += self.times.clock_skew + _RECONCILE  # which may have begun just before
                is_needed = self.now() <= entry.before + longest
                insist(is_needed, "S15", "a cut-off outlives every token")
        for token in self.issued:
            if self._since(token) < math.inf and self.now() < token.expires + _LONGEST_LEEWAY:
                hit = any(entry.hits(token) for entry in standing)
                insist(hit, "S13", "a cut-off was undone")

    def _may_follow(self, old: Entry, new: Entry | None) -> None:
        if new is None:
            ends = [token.expires for token in self.issued if old.hits(token)]
            alive = self.now() < max(ends, default=0.0) + _LONGEST_LEEWAY
            insist(old.until < math.inf, "S14", "a block is dropped")
            insist(not alive, "S14", "a cut-off is dropped while a token of it is alive")
            return
        insist(new.before >= old.before, "S14", "a cut-off is earlier than it was")
        if old.until == math.inf:
            released = any(old.value in order.released for order in self.orders.values())
            insist(new.until == math.inf or released, "S14", "a block ends without a release")
        else:
            insist(new.until >= old.until, "S14", "a cut-off ends earlier than it did")

    def _entry(self, cutoff: CutOff) -> Entry:
        until = cutoff.until.timestamp() - self.epoch if cutoff.until else math.inf
        value = (cutoff.claim.value, cutoff.digest)
        return Entry(self.now(), value, cutoff.before.timestamp() - self.epoch, until)

    # ---- what is answered

    def answered(self, answer: Answer, view: float) -> None:
        """An authorizer has decided, on a view that was so many seconds old at most."""
        token, hidden = answer.token, self.truth.hidden_until(self.now())
        if answer.verdict == "allowed":
            since = max(self._since(token), hidden) if self._since(token) < math.inf else math.inf
            insist(answer.arrived <= since + view, "S14", "a token that was taken back is accepted")
        if answer.code == CUT_OFF and token.genuine:
            stored = any(entry.hits(token) for entry in self.entries)
            insist(stored, "S15", "a token is cut off that no cut-off hits")
            lawful = self._may_hit(token, answer.arrived - view) or answer.arrived <= hidden + view
            insist(lawful, "S15", "a token is cut off that nobody has taken back")

    def let_in(self, token: Token, at: float, trouble: float, view: float) -> None:
        """API Gateway opened the route, by an authorizer's answer or by its cache."""
        since = self._since(token)
        if since == math.inf:
            return
        edge = view + self.times.result_ttl
        hidden = self.truth.hidden_until(self.now()) + edge
        insist(
            at <= max(since + edge, hidden),
            "S14",
            "API Gateway lets in what was taken back past C + G + ε",
        )
        if at - trouble > self.times.stale_limit:
            flushed = min(self._flushes(token), default=math.inf)
            insist(at <= max(flushed, hidden), "S14", "API Gateway lets in what was taken back after the flush")  # fmt: skip

    def issuer_answered(self, answer: Mapping[str, Any], since: float) -> None:
        """The issuer refused the client's `REQUEST`, which arrived at `since`."""
        error, edge = answer["error"], self.times.view_ttl + self.times.clock_skew
        insist(error in (_BLOCKED, _UNAVAILABLE), "S15", f"{CLIENT} is answered `{error}`")
        if error == _BLOCKED and since > self.truth.hidden_until(self.now()) + edge:
            may = self._is_perhaps_blocked(("client_id", digest(CLIENT)), since - edge)
            insist(may, "S15", "a client is refused that nobody has blocked")

    def handed_out(self, token: Token, keyset: Keyset) -> None:
        """An issuer gave the client a token, and its view was this."""
        hit = any(self._entry(cutoff).hits(token) for cutoff in keyset.cutoffs)
        insist(not hit, "S15", "an issuer hands out a token that its own view refuses")
        self.issued.append(token)

    # ---- what was promised

    def _since(self, token: Token) -> float:
        """Since when the token has to be refused, views aside; infinity if it may be accepted."""
        values = values_of(token)
        promises = [
            order.acknowledged
            for order in self._standing()
            if order.cut & values and token.signed < order.ordered
        ]
        for order in self._standing():
            if order.blocked & values:
                release = self._first_release(order)
                if order.acknowledged < release and token.signed < release:
                    promises.append(order.acknowledged)
        stored = [entry.landed for entry in self.entries if entry.until < math.inf and entry.hits(token)]  # fmt: skip
        return min([*promises, *(stored if not self._was_lost else [])], default=math.inf)

    def _flushes(self, token: Token) -> list[float]:
        values = values_of(token)
        return [
            order.flushed
            for order in self._standing()
            if order.acknowledged < math.inf  # one that was refused is flushed like the others
            and (
                (order.cut & values and token.signed < order.ordered)
                or (order.blocked & values and self._first_release(order) == math.inf)
            )
        ]

    def _may_hit(self, token: Token, at: float) -> bool:
        """Whether some order explains the refusal by a view that was taken after `at`."""
        values = values_of(token)
        for order in self.orders.values():
            named = (order.cut | order.released) & values
            if named and token.issued_at < order.planned + self._slack:
                return True
        return any(self._is_perhaps_blocked(value, at) for value in values)
