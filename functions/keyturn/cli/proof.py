"""Prove a revocation: try a token until it is refused, while another must keep working."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.proof_tokens import ProofTokens, is_refused
from keyturn.cli.terminal import CommandFailed, Terminal
from keyturn.cli.verify.checks import Decoded
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import EndedKey

_PATIENCE = 5  # seconds past the bound for which a token may still be accepted
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Proof:
    """Seconds from the command to the first refusal, and the bound, which counts from the write."""

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

        Raises CommandFailed if it is accepted past the bound, if the revocation is not written by
        then, if the token expires first, or if the other one is refused.
        """
        deployment, bound = self.deployment, self.deployment.revocation_bound
        written: datetime | None = None
        with self.terminal.progress("trying a revoked token"):
            while True:
                sent = deployment.clock.now()
                if written is None and self._is_written():
                    written = sent
                self._try_witness()
                if is_refused(deployment, self.tokens.revoked):
                    self._insist_on_time_left()
                    seconds = (deployment.clock.now() - self.since).total_seconds()
                    return Proof(seconds, bound.total_seconds())
                if sent > (written or self.since) + bound + timedelta(seconds=_PATIENCE):
                    raise self._failure(written)
                deployment.clock.sleep(_PAUSE)

    def _is_written(self) -> bool:
        """Whether the keyset refuses the token; False if the keyset cannot be read."""
        token = Decoded.from_token(self.tokens.revoked)
        try:
            keyset = self.deployment.keyset
        except (AwsFault, KeysetFault):
            return False
        is_revoked = isinstance(keyset.find(token.kid or ""), EndedKey)
        return is_revoked or keyset.refusing_cutoff(token.claims or {}) is not None

    def _try_witness(self) -> None:
        witness = self.tokens.witness
        if witness and is_refused(self.deployment, witness) and not self._has_expired(witness):
            raise CommandFailed("a token that was not revoked is refused: see `keyturn doctor`")

    def _insist_on_time_left(self) -> None:
        if self._has_expired(self.tokens.revoked):
            raise CommandFailed(
                "the token of the proof expired before it was refused, which proves nothing: "
                "see docs/runbooks/key-compromise.md"
            )

    def _has_expired(self, token: str) -> bool:
        """By this machine's clock; the authorizer grants λ more."""
        expiry = (Decoded.from_token(token).claims or {}).get("exp")
        return isinstance(expiry, int) and expiry <= self.deployment.clock.now().timestamp()

    def _failure(self, written: datetime | None) -> CommandFailed:
        seconds = (self.deployment.clock.now() - self.since).total_seconds()
        bound = self.deployment.revocation_bound.total_seconds()
        problem = (
            f"a revoked token is still accepted {_PATIENCE} s past the bound of {bound:.0f} s"
            if written
            else f"the revocation is not written {seconds:.0f} s after the command"
        )
        return CommandFailed(f"{problem}: see docs/runbooks/key-compromise.md")
