"""Prove a revocation: a token of the key is tried until the authorizer refuses it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from keyturn.aws.deployment import Deployment
from keyturn.cli.terminal import Failed, Terminal
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken

_PATIENCE = 5  # seconds past the bound that a token may still be accepted, and no more
_PAUSE = 0.2
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Proof:
    """Seconds from the command to the first refusal, and the bound it is held to."""

    seconds: float
    bound: float


@dataclass
class Prover:
    """A token of a key that is being revoked; `since` is the instant of the command."""

    terminal: Terminal
    deployment: Deployment
    token: str
    since: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.deployment.clock.now()

    def prove(self) -> Proof:
        """Try the token until it is refused; raises Failed when it is accepted past the bound."""
        bound = self.deployment.revocation_bound
        limit = self.since + bound + timedelta(seconds=_PATIENCE)
        with self.terminal.progress("trying a token of the revoked key"):
            while True:
                sent = self.deployment.clock.now()
                refused = self.deployment.get("/whoami", self.token).status == _UNAUTHORIZED
                if refused:
                    seconds = (self.deployment.clock.now() - self.since).total_seconds()
                    return Proof(seconds, bound.total_seconds())
                if sent > limit:
                    raise Failed(
                        f"a token of the revoked key is still accepted {_PATIENCE} s past the bound "
                        f"of {bound.total_seconds():.0f} s: see docs/runbooks/key-compromise.md"
                    )
                self.deployment.clock.sleep(_PAUSE)


def new_token(deployment: Deployment) -> str:
    """A token of the active key that outlives the bound; raises Failed, AwsFault."""
    settings, active = deployment.settings, deployment.keyset.active
    lifetime = active.lifetime if active else settings.times.token_lifetime
    needed = int(deployment.revocation_bound.total_seconds()) + 60
    answer = deployment.post_token({"subject": "keyturn-proof", "lifetime": min(needed, lifetime)})
    if answer.status != 200:
        raise Failed(f"POST /token answers {answer.status}")
    return _accepted(deployment, str(answer.body["access_token"]))


def token_from_file(deployment: Deployment, file: Path, kids: tuple[str, ...]) -> str:
    """The token in `file`, if it is one of these keys and good now; raises Failed, AwsFault."""
    token = file.read_text().strip()
    try:
        kid = UnverifiedToken.parse(token).kid
    except TokenRefused as refusal:
        raise Failed(f"{file} holds no token ({refusal.code})") from None
    if kid not in kids:
        raise Failed(f"the token in {file} is not of a key that is revoked")
    return _accepted(deployment, token)


def _accepted(deployment: Deployment, token: str) -> str:
    if deployment.get("/whoami", token).status == _UNAUTHORIZED:
        raise Failed("the token to prove it with is already refused")
    return token
