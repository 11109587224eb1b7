"""Where one run stands, and what happens to it while others act."""

from typing import Literal, NamedTuple

Held = (
    tuple[Literal["generation", "jwks"], int, int, int, int]
    | tuple[Literal["seen"], tuple[str, ...]]
    | None
)


class Actor(NamedTuple):
    """How far a run has come. `step` is -1 when it has ended."""

    step: int = 0
    since: int = 0  # seconds since the step began, clamped: its clock was read after that
    standby: str | None = None
    supersede: str | None = None
    has_activated: bool = False  # this run has activated a key, with or without a reply
    plan: int | None = None  # seconds since a cut-off's plan, by the clock of who made it
    held: Held = None  # what a step has read and not yet written

    def older(self, most: int, memory: int) -> "Actor":
        """The actor a second later; its age stops at `most` and its plan's at `memory`."""
        if self.step < 0:
            return self
        aged = self if self.since >= most else self._replace(since=self.since + 1)
        if aged.plan is None or aged.plan >= memory:
            return aged
        return aged._replace(plan=aged.plan + 1)

    def behind(self) -> "Actor":
        """The actor after a generation was created: what it has read is one generation older."""
        if self.held and self.held[0] != "seen":
            name, behind, live, known, over = self.held
            return self._replace(held=(name, behind + 1, live, known, over))
        return self

    def refused(self) -> "Actor":
        """The actor after the JWKS was replaced: its pending write has the old ETag, conflicts and is forgotten."""
        if self.held and self.held[0] == "jwks":
            return self._replace(held=None)
        return self
