"""A state of the world, and the three things that can happen to it: a second passes, a generation is
created, the JWKS is written.

Readers are not actors. A view of age C shows some generation that was the highest within the last
C (+ replication) seconds, and every such view is somebody's: so a state keeps the generations that were
superseded within that time, and the properties look at all of them at once. In the same way every
issuer that may sign does, so a state keeps one instant per kid: the latest `exp` of a token. All this
follows from the changes alone, and adds no branches. (Views that never go back, containers that start
fresh or lag differently, one issuer or ten: all of them are among these.)

Everything is counted from now, what nobody can see any more is dropped, and generations are counted
back from the highest: only so is the number of states finite.
"""

from enum import StrEnum
from typing import NamedTuple

from keyturn.keyset.model import Key
from tests.model.atlas import Atlas, bit, kids_of
from tests.model.changes import bound

Jwks = tuple[int, int, int]  # generations behind the truth, its kids, the kids known by then
Cache = tuple[int, int, int]  # an earlier JWKS: its kids, known kids, seconds since it was replaced
Seconds = tuple[tuple[str, int], ...]  # by kid


class Cutting(StrEnum):
    """What the operator of a cut-off knows."""

    ORDERED = "ordered"
    ACKNOWLEDGED = "acknowledged"


class Cut(NamedTuple):
    """A cut-off that was ordered, and the tokens of its client that were there then.

    `ordered` and `acknowledged` are seconds since; `acknowledged` is None until the operator hears of it.
    """

    name: str
    tokens: tuple[tuple[str, int, int], ...]  # kid, iat, exp
    ordered: int = 0
    acknowledged: int | None = None


class State(NamedTuple):
    """The world at one instant, but for where its actors stand (actors.py)."""

    truth: int  # the keyset of the highest generation
    age: int  # seconds since it was created, at most ω
    views: tuple[tuple[int, int], ...]  # earlier keysets and seconds since each was superseded
    jwks: Jwks
    caches: tuple[Cache, ...]
    tokens: Seconds  # the latest exp of a token of each kid
    revocations: Seconds  # since each revocation, until its bound is over
    ended: int  # kids that ever ended
    revoked: int  # kids that were ever revoked
    activated_alone: int  # kids that were activated while no other key was active
    cuts: tuple[Cut, ...] = ()  # until the last of their tokens is dead


class World:
    """How states follow from each other."""

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        self.bound = bound(atlas)
        self.omega = atlas.constants.omega

    def start(self, truth: int) -> State:
        """Everything was as it is for long, but for a JWKS that does not show what is not published."""
        facts, keys = self.atlas.facts[truth], self.atlas.keysets[truth].keys
        shown = sum(bit(key.kid) for key in keys if key.published)
        jwks = (0 if keys and shown == facts.live else 1, shown, shown)
        state = State(truth, self.omega, (), jwks, (), (), (), facts.known & ~facts.live, 0, 0)
        return state._replace(tokens=self._tokens(truth, (), (), 0))

    def later(self, s: State) -> State:
        """A second passes."""
        c, older, omega = self.atlas.constants, self.atlas.older, self.omega
        truth = older(s.truth)
        views = tuple((older(view), age + 1) for view, age in s.views if age < c.forgotten)
        caches = tuple((live, known, age + 1) for live, known, age in s.caches if age < c.P)
        tokens = tuple((kid, exp - 1) for kid, exp in s.tokens if exp - 1 + c.leeway > 0)
        revocations = tuple((kid, ago + 1) for kid, ago in s.revocations if ago <= self.bound)
        views = self._distinct(truth, views)
        return s._replace(
            truth=truth,
            age=min(s.age + 1, omega),
            views=views,
            caches=caches,
            tokens=self._tokens(truth, views, tokens, s.revoked),
            revocations=revocations,
            cuts=tuple(cut for one in s.cuts if (cut := self._older(one)).tokens),
        )

    def created(self, s: State, truth: int) -> State:
        """The next generation lands."""
        before, after = self.atlas.facts[s.truth], self.atlas.facts[truth]
        views = self._distinct(truth, ((self.atlas.shown(s.truth), 0), *s.views))
        revoked, now_revoked = s.revoked | after.revoked, after.revoked & ~s.revoked
        activated_alone = s.activated_alone
        if after.active and after.active != before.active:
            is_alone = before.active is None or not bit(before.active) & after.live
            activated_alone |= bit(after.active) if is_alone else 0
        behind, live, known = s.jwks
        return s._replace(
            truth=truth,
            age=0,
            views=views,
            jwks=(behind + 1, live, known),
            tokens=self._tokens(truth, views, s.tokens, revoked),
            revocations=s.revocations + tuple((kid, 0) for kid in kids_of(now_revoked)),
            ended=s.ended | (after.known & ~after.live),
            revoked=revoked,
            activated_alone=activated_alone,
        )

    def cut(self, s: State, name: str, what: Cutting) -> State:
        """A cut-off is ordered, or its operator hears that it was written."""
        if what is Cutting.ORDERED:
            keyset = self.atlas.keysets[s.truth]
            tokens = tuple(
                (kid, exp - key.lifetime, exp)
                for kid, exp in s.tokens
                if isinstance(key := keyset.find(kid), Key)
            )
            return s._replace(cuts=(*s.cuts, Cut(name, tokens)))
        heard = (one._replace(acknowledged=0) if one.name == name else one for one in s.cuts)
        return s._replace(cuts=tuple(heard))

    def _older(self, cut: Cut) -> Cut:
        leeway, bound = self.atlas.constants.leeway, self.bound + 1
        acknowledged = None if cut.acknowledged is None else min(cut.acknowledged + 1, bound)
        tokens = ((kid, iat - 1, exp - 1) for kid, iat, exp in cut.tokens)
        alive = tuple(token for token in tokens if token[2] + leeway > 0)
        return Cut(cut.name, alive, cut.ordered + 1, acknowledged)

    def written(self, s: State, jwks: Jwks) -> State:
        """The JWKS is replaced."""
        _, live, known = s.jwks
        entries = ((live, known, 0), *s.caches)
        caches: dict[tuple[int, int], int] = {}
        for live, known, age in entries:
            caches.setdefault((live, known), age)
        caches.pop(jwks[1:], None)
        return s._replace(jwks=jwks, caches=tuple((*kids, age) for kids, age in caches.items()))

    def _distinct(
        self, truth: int, views: tuple[tuple[int, int], ...]
    ) -> tuple[tuple[int, int], ...]:
        """Of equal views the youngest; none that shows what the truth shows."""
        if not views:
            return views
        youngest: dict[int, int] = {}
        for view, age in views:  # the youngest come first
            youngest.setdefault(view, age)
        youngest.pop(self.atlas.shown(truth), None)
        return tuple(youngest.items())

    def _tokens(
        self,
        truth: int,
        views: tuple[tuple[int, int], ...],
        tokens: Seconds,
        revoked: int,
    ) -> Seconds:
        """Every issuer that may sign does so now, the fastest clock's `exp` is kept."""
        c, facts = self.atlas.constants, self.atlas.facts
        latest = dict(tokens)
        for view in (truth, *(view for view, age in views if age <= c.signing)):
            kid = facts[view].active
            if kid:
                latest[kid] = max(latest.get(kid, 0), c.skew + facts[view].lifetime)
        return tuple(sorted((kid, exp) for kid, exp in latest.items() if not bit(kid) & revoked))
