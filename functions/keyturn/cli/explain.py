"""`keyturn client explain`: whether a client may have a token, and if not, why.

The issuer's own code decides, by the current document and keyset; nothing is signed. Whether given
credentials may act as this client is up to IAM, and is not checked.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.text import Text

from keyturn.access.client import Client
from keyturn.access.grant import NotGranted, TokenRequest, grant
from keyturn.api.answers import Forbidden, Refusal, Unavailable
from keyturn.api.issue_token import prepare
from keyturn.api.token_request import from_invoke
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.registry import StoredDocument
from keyturn.cli.client import CLIENTS, Name
from keyturn.cli.differences import rows
from keyturn.cli.issue import Audience, Claims, Lifetime, Scope, Subject, request_fields
from keyturn.cli.terminal import ProblemFound, Terminal

# The member of the document that decides about each field of a request.
_DECIDED_BY = {
    "subject": "subjects",
    "audience": "audiences",
    "scope": "scopes",
    "lifetime": "max_lifetime",
    "claims": "claims",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What POST /token/{client} would answer: the token's content, or a refusal and its cause."""

    status: int
    grant: Mapping[str, Any] | None = None
    error: str | None = None
    description: str | None = None
    member: str | None = None  # of the document

    @classmethod
    def refused(cls, refusal: Refusal, member: str | None = None) -> "Answer":
        """From the issuer's refusal."""
        return cls(refusal.status, None, refusal.error, str(refusal), member)


def explain(
    terminal: Terminal,
    deployment: Deployment,
    name: Name,
    *,
    subject: Subject = None,
    scope: Scope = "",
    audience: Audience = None,
    lifetime: Lifetime = None,
    claim: Claims = None,
) -> None:
    """Whether a client may have this token, and if not, which member of its document refuses it."""
    fields = request_fields(subject, scope, audience, lifetime, claim)
    stored = CLIENTS.read(deployment, name)
    answer = _answer(deployment, stored, fields)
    _say(terminal, name, answer)
    if stored and answer.member:
        allowed = rows(stored.members, CLIENTS.defaults)[answer.member]
        terminal.say(f"  {answer.member} of its document: {allowed}")
    terminal.result(
        {
            "client": name,
            "status": answer.status,
            "grant": answer.grant,
            "error": answer.error,
            "error_description": answer.description,
            "member": answer.member,
        }
    )
    if answer.error:
        raise ProblemFound


def _answer(
    deployment: Deployment, stored: StoredDocument[Client] | None, fields: Mapping[str, Any]
) -> Answer:
    if stored is None:
        return Answer.refused(Forbidden("client: has no document"))
    if stored.value is None:
        return Answer.refused(Unavailable(str(stored.problem)))
    keyset = deployment.keyset
    key = keyset.active
    if key is None:
        return Answer.refused(Unavailable("no key is active"))
    try:
        request = from_invoke(fields)
    except Refusal as refusal:
        return Answer.refused(refusal)
    try:
        prepare(deployment, keyset, key, stored.value, request)
    except Refusal as refusal:
        return Answer.refused(refusal, _deciding_member(stored.value, request, key.lifetime))
    return Answer(200, asdict(grant(stored.value, request, key_lifetime=key.lifetime)))


def _deciding_member(client: Client, request: TokenRequest, key_lifetime: int) -> str | None:
    try:
        grant(client, request, key_lifetime=key_lifetime)
    except NotGranted as not_granted:
        return _DECIDED_BY[not_granted.field.partition(".")[0]]
    return None


def _say(terminal: Terminal, name: str, answer: Answer) -> None:
    path = f"POST /token/{name}"
    if answer.grant is None:
        reason = f": {answer.error}. {path} answers {answer.status}."
        terminal.say(Text.assemble(("Refused", "bold red"), reason))
        terminal.say(f"  {answer.description}")
        return
    terminal.say(Text.assemble(("Granted", "bold green"), f": {path} answers 200."))
    granted = rows(answer.grant, dict.fromkeys(answer.grant, "none"))
    width = max(map(len, granted))
    for label, text in granted.items():
        terminal.say(f"  {label:{width}}  {text}")
    terminal.say("IAM decides whether you may ask as this client.", "dim")
