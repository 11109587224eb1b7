"""`keyturn client explain`: may this client have that token, and why not?

The issuer's own functions answer, from the document as it stands; nothing is issued. Whether these
credentials may ask as this client is IAM's to say, and the token's size is checked when it is made.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.text import Text

from keyturn.access.client import Client
from keyturn.access.grant import Grant, NotGranted, TokenRequest, grant
from keyturn.api.answers import BadRequest, Forbidden, Unavailable
from keyturn.api.token_request import from_invoke
from keyturn.aws.deployment import Deployment
from keyturn.aws.registry import Declared
from keyturn.cli.client import CLIENTS, Name
from keyturn.cli.differences import rows
from keyturn.cli.issue import Audience, Claims, Lifetime, Scope, Subject, parse_claim
from keyturn.cli.terminal import ProblemFound, Terminal

# Which member of the document decides about which field of a request.
_DECIDED_BY = {
    "subject": "subjects",
    "audience": "audiences",
    "scope": "scopes",
    "lifetime": "max_lifetime",
    "claims": "claims",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What POST /token/{client} would say: a grant, or a refusal and the document's member behind it."""

    status: int
    grant: Grant | None = None
    refusal: Mapping[str, str] | None = None
    member: str | None = None


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
    fields = {
        "subject": subject,
        "scope": scope,
        "audience": audience,
        "lifetime": lifetime,
        "claims": dict(map(parse_claim, claim or [])),
    }
    declared = CLIENTS.read(deployment, name)
    answer = _answer(declared, fields, _key_lifetime(deployment))
    _say(terminal, name, answer)
    if declared and answer.member:
        allowed = rows(declared.members, CLIENTS.defaults)[answer.member]
        terminal.say(f"  {answer.member} of its document: {allowed}")
    terminal.result(
        {
            "client": name,
            "status": answer.status,
            "grant": asdict(answer.grant) if answer.grant else None,
            "error": answer.refusal["error"] if answer.refusal else None,
            "error_description": answer.refusal["error_description"] if answer.refusal else None,
            "member": answer.member,
        }
    )
    if answer.refusal:
        raise ProblemFound


def _answer(
    declared: Declared[Client] | None, fields: Mapping[str, Any], key_lifetime: int
) -> Answer:
    if declared is None:
        absent = Forbidden("client: no document says what it may have")
        return Answer(absent.status, refusal=absent.body())
    if declared.value is None:
        unreadable = Unavailable(str(declared.problem))
        return Answer(unreadable.status, refusal=unreadable.body())
    try:
        request: TokenRequest = from_invoke(fields)
        return Answer(200, grant(declared.value, request, key_lifetime=key_lifetime))
    except NotGranted as not_granted:
        bad = BadRequest(not_granted.field, not_granted.problem, not_granted.code)
        member = _DECIDED_BY.get(not_granted.field.partition(".")[0])
        return Answer(bad.status, refusal=bad.body(), member=member)
    except BadRequest as bad:
        return Answer(bad.status, refusal=bad.body())


def _key_lifetime(deployment: Deployment) -> int:
    active = deployment.keyset.active
    return active.lifetime if active else deployment.settings.times.token_lifetime


def _say(terminal: Terminal, name: str, answer: Answer) -> None:
    path = f"POST /token/{name}"
    if answer.grant:
        terminal.say(Text.assemble(("Granted", "bold green"), f": {path} answers 200."))
        members = asdict(answer.grant)
        granted = rows(members, dict.fromkeys(members, "none"))
        width = max(map(len, granted))
        for label, text in granted.items():
            terminal.say(f"  {label:{width}}  {text}")
        terminal.say("Whether you may ask as this client is for IAM to say.", "dim")
        return
    refusal = answer.refusal or {}
    why = f": {refusal['error']}. {path} answers {answer.status}."
    terminal.say(Text.assemble(("Refused", "bold red"), why))
    terminal.say(f"  {refusal['error_description']}")
