"""Prove a revocation: try a token until it is refused, while another must keep working."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.proof_tokens import ProofTokens, is_refused
from keyturn.cli.terminal import CommandFailed, Terminal

_PATIENCE = 5  # seconds past the bound for which a token may still be accepted
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Proof:
    """Seconds from the command to the first refusal, and the bound to compare them with."""

    seconds: float
    bound: float


@dataclass
class Prover:
    """A token that is being revoked, and one that is not; `since` is the time of the command."""

    terminal: Terminal
    deployment: Deployment
    tokens: ProofTokens
    since: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.deployment.clock.now()

    def prove(self) -> Proof:
        """Try the token until it is refused.

        Raises CommandFailed if it is accepted past the bound, or if the other one is refused.
        """
        deployment, tokens = self.deployment, self.tokens
        bound = deployment.revocation_bound
        limit = self.since + bound + timedelta(seconds=_PATIENCE)
        with self.terminal.progress("trying a revoked token"):
            while True:
                sent = deployment.clock.now()
                if tokens.witness and is_refused(deployment, tokens.witness):
                    raise CommandFailed(
                        "a token that was not revoked is refused: see `keyturn doctor`"
                    )
                if is_refused(deployment, tokens.revoked):
                    seconds = (deployment.clock.now() - self.since).total_seconds()
                    return Proof(seconds, bound.total_seconds())
                if sent > limit:
                    raise CommandFailed(
                        f"a revoked token is still accepted {_PATIENCE} s past the bound "
                        f"of {bound.total_seconds():.0f} s: see docs/runbooks/key-compromise.md"
                    )
                deployment.clock.sleep(_PAUSE)
