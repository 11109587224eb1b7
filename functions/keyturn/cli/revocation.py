"""One revocation: started first, proved afterwards. Nothing optional holds it up.

These may fail without stopping it: getting a token for the proof (within _TOKEN_SECONDS; if the
active key is revoked, before the write), asking STS who is calling, cutting sessions, printing.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.attempt import Attempt
from keyturn.cli.break_glass import run_directly
from keyturn.cli.follow import follow
from keyturn.cli.preflight import ask_caller
from keyturn.cli.proof import Prover
from keyturn.cli.proof_tokens import find_tokens
from keyturn.cli.remedies import remedy_for
from keyturn.cli.session_cut import SessionCut
from keyturn.cli.targets import Targets
from keyturn.cli.terminal import CommandFailed, Terminal
from keyturn.keyset.model import EndedKey, Keyset

_TOKEN_SECONDS = 10.0  # for how long the revocation waits for the proof's token


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The operator's order."""

    reason: str
    kids: tuple[str, ...] = ()
    active: bool = False
    everything: bool = False
    targets: Targets = field(default_factory=Targets)
    direct: bool = False
    cut_sessions: bool = False
    proof_token: Path | None = None
    dry_run: bool = False
    yes: bool = False


@dataclass
class Revocation:
    """One revocation, and the problems that did not stop it."""

    terminal: Terminal
    deployment: Deployment
    order: Order
    keyset: Keyset
    kids: tuple[str, ...]
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Revoke, cut, prove, follow; report every problem at the end. Raises CommandFailed."""
        caller = ask_caller(self.deployment)
        prover = self._prover()
        event = {
            "mode": "emergency",
            "kids": list(self.kids),
            **self.order.targets.request(),
            "reason": self.order.reason,
            "started_by": caller(),
        }
        cut = SessionCut(self.terminal, self.deployment)
        result: dict[str, Any] = {"kids": list(self.kids), "proof": None}

        def prove() -> None:
            if self.order.cut_sessions:
                self._attempt(cut.cut, "sessions are not cut: ")
            if prover:
                self._attempt(lambda: self._prove(prover, result))

        if self.order.direct:
            self._attempt(lambda: run_directly(self.terminal, self.deployment, event, prove))
        else:
            execution = result["execution"] = self._start(event)
            self.terminal.say(f"Started {execution}")
            prove()
            self._attempt(lambda: follow(self.terminal, self.deployment, execution))
        self._attempt(cut.prove_issuing)
        self._attempt(self._confirm_end)
        self.terminal.result({**result, "problems": self.problems})
        if self.problems:
            raise CommandFailed("; ".join(self.problems))
        self.terminal.say("Released." if self.order.targets.released else "Revoked.")

    def _start(self, event: dict[str, Any]) -> str:
        try:
            return self.deployment.start(event)
        except AwsFault as fault:
            remedy = f"{remedy_for(fault)}; or the same command with --direct"
            raise CommandFailed(str(fault), remedy) from None

    def _prover(self) -> Prover | None:
        """A prover with tokens that are valid now; None for a release, or if none in time."""
        if self.order.targets.released:
            return None
        work = partial(find_tokens, self.deployment, self.order, self.keyset, self.kids)
        try:
            tokens = Attempt(work, seconds=_TOKEN_SECONDS).result()
        except Exception as error:  # noqa: BLE001 - the proof is optional, the revocation is not
            self.terminal.say(f"The revocation cannot be proved: {_describe_error(error)}")
            return None
        return Prover(self.terminal, self.deployment, tokens)

    def _prove(self, prover: Prover, result: dict[str, Any]) -> None:
        proof = prover.prove()
        result["proof"] = asdict(proof)
        self.terminal.say(
            f"Proved: refused {proof.seconds:.1f} s after the command; "
            f"the bound is {proof.bound:.0f} s from the write."
        )

    def _confirm_end(self) -> None:
        keyset = self.deployment.keyset
        live = [kid for kid in self.kids if not isinstance(keyset.find(kid), EndedKey | None)]
        if live:
            raise CommandFailed("; ".join(f"{kid} is still live" for kid in live))

    def _attempt(self, work: Callable[[], object], prefix: str = "") -> None:
        """Call `work`; an error is recorded as a problem and stops nothing."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the other steps must still run
            problem = f"{prefix}{_describe_error(error)}"
            self.problems.append(problem)
            self.terminal.say(problem, "red")


def _describe_error(error: Exception) -> str:
    if isinstance(error, CommandFailed | AwsFault | ValueError | OSError):
        return str(error) or type(error).__name__
    return f"unexpected {type(error).__name__}"
