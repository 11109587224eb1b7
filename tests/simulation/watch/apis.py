"""S16: an API lets in whom its document says, not before it said so, and not for longer than a view lives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from keyturn.keyset.timing import Times
from tests.cloud.ssm import Ssm
from tests.simulation.watch.broken import insist
from tests.simulation.watch.tokens import Token

_PATH = "/keyturn/sim/apis"


class Verdict(StrEnum):
    """What becomes of a token at an API's route; a fault is none."""

    OPEN = "open"
    CLOSED = "closed"  # 403
    REFUSED = "refused"  # 401


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a document says of the API's one route."""

    audience: str
    scopes: frozenset[str] = frozenset()

    def verdict(self, token: Token) -> Verdict:
        """What becomes of a token that is good otherwise."""
        if token.audience != self.audience:
            return Verdict.REFUSED
        return Verdict.OPEN if self.scopes <= token.scopes else Verdict.CLOSED


STACK_WIDE = Meaning("orders")  # what counts without a document


@dataclass
class Apis:
    """Every document of every API, as it was declared; None is one that does not parse."""

    times: Times
    ssm: Ssm
    now: Callable[[], float]
    versions: dict[str, list[tuple[float, Meaning | None]]] = field(default_factory=dict)

    def declare(self, api: str, text: str | None, meaning: Meaning | None) -> None:
        """A team writes the document, or deletes it (None)."""
        name = f"{_PATH}/{api}"
        if text is None:
            self.ssm.delete([name])
        else:
            self.ssm.declare(name, text)
        self.versions.setdefault(api, []).append((self.now(), meaning))

    def answered(
        self, api: str, token: Token, verdict: Verdict, since: float, trouble: float
    ) -> None:
        """An authorizer decided: some document that it may believe has to say so.

        `since`: when it was asked; `trouble`: when it last failed to read a document.
        """
        believed = self._believed(api, since, trouble)
        if verdict is Verdict.REFUSED and Verdict.REFUSED not in self._verdicts(believed, token):
            return  # for something else than its audience: Tokens says whether it may be
        insist(verdict in self._verdicts(believed, token), "S16", f"an API is {verdict} to a token that its documents do not mean")  # fmt: skip

    def refuses(self, api: str, token: Token, since: float, trouble: float) -> bool:
        """Whether some document that may be believed refuses it for its audience."""
        return Verdict.REFUSED in self._verdicts(self._believed(api, since, trouble), token)

    def let_in(self, api: str, token: Token, since: float, trouble: float) -> None:
        """API Gateway opened the route, by an authorizer's answer or by its cache."""
        believed = self._believed(api, since - self.times.result_ttl, trouble)
        insist(Verdict.OPEN in self._verdicts(believed, token), "S16", "API Gateway lets in whom the API's document has shut out")  # fmt: skip

    def _verdicts(self, believed: list[Meaning | None], token: Token) -> set[Verdict]:
        return {meaning.verdict(token) for meaning in believed if meaning}

    def _believed(self, api: str, since: float, trouble: float) -> list[Meaning | None]:
        """What an authorizer asked at `since` may believe: all that was so since its oldest view."""
        longest = self.times.stale_limit + self.times.clock_skew
        oldest = self._since(api, since - longest)
        if None not in oldest and trouble < since - longest:
            return self._since(api, since - self.times.view_ttl - self.times.clock_skew)
        return oldest

    def _since(self, api: str, instant: float) -> list[Meaning | None]:
        versions = [(float("-inf"), STACK_WIDE), *self.versions.get(api, [])]
        older = [meaning for at, meaning in versions if at <= instant]
        return [older[-1], *(meaning for at, meaning in versions if at > instant)]
