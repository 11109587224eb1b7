"""What must hold in every state, for every reader at once: S1, S2, S5, and who may be accepted at all."""

from typing import TYPE_CHECKING

from keyturn.keyset.model import Key
from keyturn.keyset.states import State as KeyState
from tests.model import cutting
from tests.model.atlas import Atlas, bit, kids_of
from tests.model.changes import bound
from tests.model.constants import instant, seconds

if TYPE_CHECKING:
    from tests.model.world import State


class Properties:
    """The checks of a state; each answers with what is wrong, or nothing."""

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        self.bound = bound(atlas)
        self._checked: dict[tuple[object, ...], str] = {}

    def wrong(self, s: "State") -> str:
        """The first violation in this state; it does not depend on where the actors stand."""
        of_keys = s.truth, s.views, s.jwks[1:], s.caches, s.tokens, s.revocations
        relevant = (*of_keys, s.ended, s.revoked, s.activated_alone, s.cuts)
        if relevant not in self._checked:
            self._checked[relevant] = self._s5(s) or self._s1(s) or self._s2(s) or self._table(s)
            if self.atlas.constants.cuts and not self._checked[relevant]:
                self._checked[relevant] = self._s14(s) or self._s15(s)
        return self._checked[relevant]

    def _s5(self, s: "State") -> str:
        """A kid that ever ended never counts again."""
        back = self.atlas.facts[s.truth].live & s.ended
        return f"S5: key {kids_of(back)} had ended and is back" if back else ""

    def _s1(self, s: "State") -> str:
        """Every token that can be alive is accepted by every reader whose view is fresh.

        A key that was activated while no other signed is excepted where the reader cannot know yet
        that it counts: the design's C for authorizers, and until the JWKS is fetched again.
        """
        c = self.atlas.constants
        fresh = [(s.truth, 0), *((view, age) for view, age in s.views if age <= c.fresh)]
        caches = [(*s.jwks[1:], 0), *s.caches]
        for kid, exp in s.tokens:
            mask = bit(kid)
            for clock in range(min(c.skew, exp + c.leeway - 1) + 1):
                for view, age in fresh:
                    if self.atlas.accepts(view, kid, clock):
                        continue
                    if s.activated_alone & mask and not self.atlas.announces(view, kid):
                        continue
                    how = f"view superseded {age} s ago, clock {clock} s ahead"
                    return f"S1: an authorizer ({how}) refuses a live token of {kid}"
            for live, known, age in caches:
                if not live & mask and not (s.activated_alone & mask and not known & mask):
                    return f"S1: a verifier with a JWKS replaced {age} s ago refuses a live token of {kid}"
        return ""

    def _s2(self, s: "State") -> str:
        """After the bound no answer lets a token of a revoked kid pass, not even one that was cached."""
        c = self.atlas.constants
        believed = [s.truth, *(view for view, age in s.views if age <= c.believed)]
        for kid, ago in s.revocations:
            for view in believed:
                late = ago + c.G > self.bound
                if late and any(self.atlas.accepts(view, kid, a) for a in range(c.skew + 1)):
                    return f"S2: {kid}, revoked {ago} s ago, is accepted, and by API Gateway for {c.G} s more"
        return ""

    def _s14(self, s: "State") -> str:
        """No token that a client had when it was cut off is accepted: by the truth at once, by any view
        and by what was cached after the bound.
        """
        c = self.atlas.constants
        views = [view for view, age in s.views if age <= c.believed]
        for cut in s.cuts:
            if cut.acknowledged is None:
                continue
            late = cut.acknowledged + c.G > self.bound
            for view in (s.truth, *(views if late else ())):
                entry = cutting.entry(self.atlas.keysets[view])
                for kid, iat, exp in cut.tokens:
                    alive = range(min(c.skew, exp + c.leeway - 1) + 1)
                    if entry and entry.refuses(instant(iat).timestamp()):
                        continue
                    if any(self.atlas.accepts(view, kid, clock) for clock in alive):
                        return (
                            f"S14: a token of {kid}, cut off {cut.acknowledged} s ago, is accepted"
                        )
        return ""

    def _s15(self, s: "State") -> str:
        """No cut-off hits what was issued clearly after the last order."""
        c, latest = self.atlas.constants, min((cut.ordered for cut in s.cuts), default=0)
        entry = cutting.entry(self.atlas.keysets[s.truth])
        slack = 2 * c.skew + c.replication + 1
        if entry and seconds(entry.before) > slack - min(latest, c.cut_life):
            return "S15: a cut-off hits what was issued after it"
        return ""

    def _table(self, s: "State") -> str:
        """An accepted key is active, a published standby, or in grace until verify_until."""
        c = self.atlas.constants
        for view in (s.truth, *(view for view, _ in s.views)):
            for key in self.atlas.keysets[view].keys:
                for clock in range(c.skew + 1):
                    if self.atlas.accepts(view, key.kid, clock) and not _may_count(key, clock):
                        return f"S11: a token of {key.kid} is accepted, which is {key.state} and does not count"
        return ""


def _may_count(key: Key, clock: int) -> bool:
    match key.state:
        case KeyState.ACTIVE:
            return True
        case KeyState.STANDBY:
            return key.published is not None
        case _:
            return key.verify_until is not None and clock <= seconds(key.verify_until)
