"""S16: an API accepts the tokens that its document allows, and an older document only while a view may be that old."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from keyturn.keyset.timing import Times
from tests.cloud.ssm import Ssm
from tests.simulation.watch.broken import insist
from tests.simulation.watch.documents import Documents
from tests.simulation.watch.tokens import Token


class Verdict(StrEnum):
    """The answer to a token at an API's route; a fault is none."""

    OPEN = "open"
    CLOSED = "closed"  # 403
    REFUSED = "refused"  # 401


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a document says of the API's one route."""

    audience: str
    scopes: frozenset[str] = frozenset()

    def verdict(self, token: Token) -> Verdict:
        """The answer to a token that is good otherwise."""
        if token.audience != self.audience:
            return Verdict.REFUSED
        return Verdict.OPEN if self.scopes <= token.scopes else Verdict.CLOSED


STACK_WIDE = Meaning("orders")  # what applies without a document


class Apis:
    """The documents of every API; the meaning None is that of one that does not parse."""

    def __init__(self, times: Times, ssm: Ssm, now: Callable[[], float]) -> None:
        self._times = times
        self._documents: Documents[Meaning | None] = Documents(
            "/keyturn/sim/apis", STACK_WIDE, ssm, now
        )
        self.declare = self._documents.declare

    def answered(
        self, api: str, token: Token, verdict: Verdict, since: float, trouble: float
    ) -> None:
        """An authorizer decided: some document that it may go by has to say so.

        `since`: when it was asked; `trouble`: when it last failed to read a document.
        """
        lawful = self._verdicts(api, token, since, trouble)
        if verdict is Verdict.REFUSED and Verdict.REFUSED not in lawful:
            return  # not for its audience: Tokens checks the reason
        insist(verdict in lawful, "S16", f"an API is {verdict} to a token against its documents")

    def refuses(self, api: str, token: Token, since: float, trouble: float) -> bool:
        """Whether some document that the authorizer may go by refuses the token for its audience."""
        return Verdict.REFUSED in self._verdicts(api, token, since, trouble)

    def let_in(self, api: str, token: Token, since: float, trouble: float) -> None:
        """API Gateway opened the route, by an authorizer's answer or by its cache."""
        lawful = self._verdicts(api, token, since - self._times.result_ttl, trouble)
        insist(Verdict.OPEN in lawful, "S16", "API Gateway lets in a token against the documents")

    def _verdicts(self, api: str, token: Token, since: float, trouble: float) -> set[Verdict]:
        """By every document that an authorizer asked at `since` may go by."""
        skew = self._times.clock_skew
        oldest = since - self._times.stale_limit - skew
        meanings = self._documents.since(api, oldest)
        if None not in meanings and trouble < oldest:
            meanings = self._documents.since(api, since - self._times.view_ttl - skew)
        return {meaning.verdict(token) for meaning in meanings if meaning}
