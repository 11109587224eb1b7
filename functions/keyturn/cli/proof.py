"""Prove a revocation: a token of the key is tried until the authorizer refuses it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyturn.aws.deployment import Deployment
from keyturn.cli.terminal import Failed, Terminal

_PATIENCE = 5  # seconds past the bound that a token may still be accepted, and no more
_PAUSE = 0.2
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Proof:
    """Seconds from the command to the first refusal, and the bound it is held to."""

    seconds: float
    bound: float


def new_token(deployment: Deployment) -> str:
    """A token of the active key that outlives the bound; raises Failed."""
    settings, active = deployment.settings, deployment.keyset.active
    lifetime = active.lifetime if active else settings.times.token_lifetime
    wanted = int(deployment.revocation_bound.total_seconds()) + 60
    answer = deployment.post_token({"subject": "keyturn-proof", "lifetime": min(wanted, lifetime)})
    if answer.status != 200:
        raise Failed(f"no token to prove the revocation with: POST /token answers {answer.status}")
    token = str(answer.body["access_token"])
    if deployment.get("/whoami", token).status == _UNAUTHORIZED:
        raise Failed("the token to prove the revocation with is refused already")
    return token


def prove(terminal: Terminal, deployment: Deployment, token: str, since: datetime) -> Proof:
    """Try `token` until it is refused; raises Failed when it is accepted past the bound."""
    bound = deployment.revocation_bound
    limit = since + bound + timedelta(seconds=_PATIENCE)
    with terminal.progress("trying a token of the revoked key"):
        while True:
            sent = deployment.clock.now()
            if deployment.get("/whoami", token).status == _UNAUTHORIZED:
                seconds = (deployment.clock.now() - since).total_seconds()
                return Proof(seconds, bound.total_seconds())
            if sent > limit:
                raise Failed(
                    f"a token of the revoked key is still accepted {_PATIENCE} s past the bound of "
                    f"{bound.total_seconds():.0f} s: see docs/runbooks/key-compromise.md"
                )
            deployment.clock.sleep(_PAUSE)
