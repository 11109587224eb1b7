"""S17: a client gets what its document says, and nothing that it no longer says, from C + ε after a change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyturn.keyset.timing import Times
from tests.cloud.ssm import Ssm
from tests.simulation.watch.broken import insist

GRANTED = "granted"
_UNAVAILABLE = "temporarily_unavailable"  # never wrong: the issuer may fail
_PATH = "/keyturn/sim/clients"
STEADY, CHANGING = "client-1", "client-2"  # what one of them may have never changes
# What one client asks for all the time, and what becomes of it by the text of its document. None is no
# document; one that does not parse has no outcome.
REQUEST = {"subject": "user-1", "scope": "orders:read"}
_FULL = '"audiences": ["orders"], "subjects": ["user-1", "user-2"], "scopes": ["orders:read"]'
FULL = f"{{{_FULL}}}"
OUTCOMES: Mapping[str | None, str | None] = {
    FULL: GRANTED,
    '{"audiences": ["orders"], "subjects": ["user-1"], "scopes": ["orders:write"]}': "invalid_scope",
    '{"audiences": ["orders"], "subjects": ["user-2"], "scopes": ["orders:read"]}': "invalid_request",
    '{"audiences": ["orders", "billing"], "subjects": "any"}': "invalid_target",
    None: "unauthorized_client",
    "{": None,
}


@dataclass
class Grants:
    """Every document of every client, as it was declared."""

    times: Times
    ssm: Ssm
    now: Callable[[], float]
    versions: dict[str, list[tuple[float, str | None]]] = field(default_factory=dict)

    def declare(self, client: str, text: str | None) -> None:
        """A team writes the document, or deletes it (None)."""
        name = f"{_PATH}/{client}"
        if text is None:
            self.ssm.delete([name])
        else:
            self.ssm.declare(name, text)
        self.versions.setdefault(client, []).append((self.now(), OUTCOMES[text]))

    def answered(self, client: str, answer: Mapping[str, Any], since: float) -> None:
        """The issuer answered the client's `REQUEST`, which arrived at `since`."""
        outcome = GRANTED if "access_token" in answer else answer["error"]
        lawful = self._outcomes(client, since - self.times.view_ttl - self.times.clock_skew)
        insist(
            outcome in (*lawful, _UNAVAILABLE),
            "S17",
            f"{client} is answered `{outcome}`, which its documents of the last C + ε do not say",
        )

    def _outcomes(self, client: str, instant: float) -> set[str | None]:
        versions = [(float("-inf"), OUTCOMES[None]), *self.versions.get(client, [])]
        older = [outcome for at, outcome in versions if at <= instant]
        return {older[-1], *(outcome for at, outcome in versions if at > instant)}
