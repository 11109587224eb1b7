"""The tokens that prove a revocation: one that must be refused, and one that must keep working."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyturn.access.client import Subjects
from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.targets import Targets
from keyturn.cli.terminal import CommandFailed
from keyturn.cli.verify.checks import Decoded
from keyturn.keyset.model import Keyset

if TYPE_CHECKING:
    from keyturn.cli.revocation import Order

_UNAUTHORIZED = 401
OPERATOR = "operator"  # the client that every stack has
_SUBJECT, _WITNESS = "keyturn-proof", "keyturn-witness"


@dataclass(frozen=True, slots=True)
class ProofTokens:
    """`revoked` is valid now and must be refused; `witness`, if there is one, must keep working."""

    revoked: str
    witness: str | None = None


def find_tokens(
    deployment: Deployment, order: "Order", keyset: Keyset, kids: tuple[str, ...]
) -> ProofTokens:
    """Tokens that are valid now; raises CommandFailed, AwsFault."""
    is_active = keyset.active is not None and keyset.active.kid in kids
    if order.proof_token:
        revoked = _from_file(order.proof_token, kids, order.targets)
    elif is_active:
        revoked = _issue(deployment, {"subject": _SUBJECT}, OPERATOR)
    else:
        revoked = _issue_matching(deployment, order.targets)
    if is_refused(deployment, revoked):
        raise CommandFailed("the token for the proof is already refused")
    return ProofTokens(revoked, None if is_active else _witness(deployment, order.targets))


def _from_file(file: Path, kids: tuple[str, ...], targets: Targets) -> str:
    token = Decoded.from_token(file.read_text().strip())
    if token.header is None or token.claims is None:
        raise CommandFailed(f"{file} contains no token")
    if token.kid not in kids and not targets.matches(token.claims):
        raise CommandFailed(f"the token in {file} is not one of those that are revoked")
    return token.text


def _issue_matching(deployment: Deployment, targets: Targets) -> str:
    """A new token of a client or a subject that will be refused."""
    if targets.subjects:
        return _issue(deployment, {"subject": targets.subjects[0]}, OPERATOR)
    for client in (*targets.clients, *targets.blocked):
        return _issue(deployment, _read_request(deployment, client), client)
    raise CommandFailed("there is no token to prove it with; pass one with --proof-token")


def _read_request(deployment: Deployment, name: str) -> Mapping[str, Any]:
    """A request that this client may make, for the stack's own API if possible."""
    client = deployment.client_documents.read(name)
    if client is None:
        raise CommandFailed(
            f"client {name} has no document, so it gets no new token; pass one with --proof-token"
        )
    own = deployment.settings.audience
    audience = own if own in client.audiences else min(client.audiences)
    match client.subjects:
        case Subjects.ITSELF:
            return {"audience": audience}
        case Subjects.ANY:
            return {"audience": audience, "subject": _SUBJECT}
        case subjects:
            return {"audience": audience, "subject": min(subjects)}


def _witness(deployment: Deployment, targets: Targets) -> str | None:
    if OPERATOR in (*targets.clients, *targets.blocked) or _WITNESS in targets.subjects:
        return None
    try:
        witness = _issue(deployment, {"subject": _WITNESS}, OPERATOR)
        return None if is_refused(deployment, witness) else witness
    except (CommandFailed, AwsFault):
        return None


def _issue(deployment: Deployment, request: Mapping[str, Any], client: str) -> str:
    answer = deployment.post_token(request, client=client)
    if answer.status != 200:
        raise CommandFailed(f"POST /token/{client} answers {answer.status}")
    return str(answer.body["access_token"])


def is_refused(deployment: Deployment, token: str) -> bool:
    """Whether the stack's own API answers 401; raises AwsFault."""
    return deployment.get("/whoami", token).status == _UNAUTHORIZED
