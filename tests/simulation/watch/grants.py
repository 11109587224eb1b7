"""S17: a client gets what its document grants, and from C + ε after a change nothing that only an older one did."""

from collections.abc import Callable, Mapping
from typing import Any

from keyturn.keyset.timing import Times
from tests.cloud.ssm import Ssm
from tests.simulation.watch.broken import insist
from tests.simulation.watch.documents import Documents

GRANTED = "granted"
_UNAVAILABLE = "temporarily_unavailable"  # never wrong: the issuer may fail
STEADY, CHANGING = "client-1", "client-2"  # only the document of CHANGING ever changes
REQUEST = {"subject": "user-1", "scope": "orders:read"}  # of both, every time
FULL = '{"audiences": ["orders"], "subjects": ["user-1", "user-2"], "scopes": ["orders:read"]}'
# The answer to the request, by the text of the document. None as a text is no document; one that does not
# parse has no answer of its own.
OUTCOMES: Mapping[str | None, str | None] = {
    FULL: GRANTED,
    '{"audiences": ["orders"], "subjects": ["user-1"], "scopes": ["orders:write"]}': "invalid_scope",
    '{"audiences": ["orders"], "subjects": ["user-2"], "scopes": ["orders:read"]}': "invalid_request",
    '{"audiences": ["orders", "billing"], "subjects": "any"}': "invalid_target",
    None: "unauthorized_client",
    "{": None,
}


class Grants:
    """The documents of every client."""

    def __init__(self, times: Times, ssm: Ssm, now: Callable[[], float]) -> None:
        self._oldest_view = times.view_ttl + times.clock_skew
        self._documents = Documents("/keyturn/sim/clients", OUTCOMES[None], ssm, now)

    def declare(self, client: str, text: str | None) -> None:
        """A team writes the document, or deletes it (None)."""
        self._documents.declare(client, text, OUTCOMES[text])

    def answered(self, client: str, answer: Mapping[str, Any], since: float) -> None:
        """The issuer answered the client's `REQUEST`, which arrived at `since`."""
        outcome = GRANTED if "access_token" in answer else answer["error"]
        lawful = self._documents.since(client, since - self._oldest_view)
        insist(
            outcome in (*lawful, _UNAVAILABLE),
            "S17",
            f"{client} is answered `{outcome}`, against its documents of the last C + ε",
        )
