"""`keyturn revoke`: out within seconds, and proved. Nothing here holds the revocation up."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from keyturn.aws.deployment import Deployment
from keyturn.aws.faults import AwsFault
from keyturn.aws.sessions import cut_sessions
from keyturn.cli.break_glass import run_directly
from keyturn.cli.follow import follow
from keyturn.cli.options import DryRun, Reason, Yes
from keyturn.cli.proof import Prover, given_token, new_token
from keyturn.cli.terminal import BadUsage, Failed, Terminal
from keyturn.keyset import timing
from keyturn.keyset.model import EndedKey, Keyset


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator asked for."""

    kids: tuple[str, ...]
    active: bool
    everything: bool
    reason: str
    direct: bool
    cut_sessions: bool
    token_file: Path | None
    dry_run: bool
    yes: bool


@dataclass
class Revocation:
    """One revocation: what it found out, and what went wrong beside it."""

    terminal: Terminal
    deployment: Deployment
    order: Order
    kids: tuple[str, ...]
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Cut, revoke, prove, follow; whatever fails is told at the end. Raises Failed."""
        token = self._token()
        if self.order.cut_sessions:
            self._cut_sessions()
        result: dict[str, Any] = {"kids": list(self.kids), "proof": None}
        event = {
            "mode": "emergency",
            "kids": list(self.kids),
            "reason": self.order.reason,
            "started_by": self._caller(),
        }
        prover = Prover(self.terminal, self.deployment, token) if token else None
        if self.order.direct:
            meanwhile = (lambda: self._prove(prover, result)) if prover else (lambda: None)
            self._noting(lambda: run_directly(self.terminal, self.deployment, event, meanwhile))
        else:
            execution = result["execution"] = self.deployment.start(event)
            self.terminal.say(f"Started {execution}")
            self._prove(prover, result)
            self._noting(lambda: follow(self.terminal, self.deployment, execution))
        keyset = self.deployment.keyset
        self.problems += [f"{kid} is still live" for kid in self.kids if not _is_out(keyset, kid)]
        self.terminal.result({**result, "problems": self.problems})
        if self.problems:
            raise Failed("; ".join(self.problems))
        self.terminal.say("Revoked.")

    def _token(self) -> str | None:
        active = self.deployment.keyset.active
        try:
            if self.order.token_file:
                return given_token(self.deployment, self.order.token_file, self.kids)
            if active and active.kid in self.kids:
                return new_token(self.deployment)
            self.terminal.say("To prove it takes a token of these keys: --token-file.")
        except (Failed, AwsFault) as error:
            self.terminal.say(f"It cannot be proved: {escape(str(error))}")
        return None

    def _caller(self) -> str:
        try:
            return self.deployment.caller()
        except AwsFault:
            return "operator"

    def _cut_sessions(self) -> None:
        try:
            role = cut_sessions(self.deployment.stack, self.deployment.clock.now())
            self.terminal.say(f"Sessions of {role} are cut; its containers start anew.")
        except AwsFault as fault:
            self.problems.append(f"sessions are not cut: {fault}")

    def _prove(self, prover: Prover | None, result: dict[str, Any]) -> None:
        def prove() -> None:
            if prover:
                proof = prover.prove()
                result["proof"] = asdict(proof)
                self.terminal.say(
                    f"Proved: refused {proof.seconds:.1f} s after the command; "
                    f"the bound is {proof.bound:.0f} s."
                )

        self._noting(prove)

    def _noting(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (Failed, AwsFault) as error:
            self.problems.append(str(error))
            self.terminal.say(f"[red]{escape(str(error))}[/]")


def command(
    terminal: Terminal,
    deployment: Deployment,
    reason: Reason,
    kids: Annotated[list[str] | None, typer.Argument(help="The kids to revoke.")] = None,
    active: Annotated[bool, typer.Option("--active", help="The key that signs now.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every live key.")] = False,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Break glass: no Step Functions, no Lambda, your credentials."
        ),
    ] = False,
    cut_sessions: Annotated[
        bool, typer.Option("--cut-sessions", help="First cut the issuer role's sessions.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option(exists=True, help="A token of the key, to prove it with.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Take compromised keys out now, and prove that they are out."""
    order = Order(
        kids=tuple(kids or ()),
        active=active,
        everything=everything,
        reason=reason,
        direct=direct,
        cut_sessions=cut_sessions,
        token_file=token_file,
        dry_run=dry_run,
        yes=yes,
    )
    revoke(terminal, deployment, order)


def revoke(terminal: Terminal, deployment: Deployment, order: Order) -> None:
    """Resolve, show, ask, revoke, prove; raises BadUsage, Failed."""
    keyset = deployment.keyset
    kids = resolve(keyset, order)
    _announce(terminal, deployment, keyset, kids, order)
    if order.dry_run:
        terminal.result({"dry_run": True, "kids": list(kids)})
        return
    if not order.yes:
        terminal.confirm("This cannot be undone.")
    Revocation(terminal, deployment, order, kids).run()


def resolve(keyset: Keyset, order: Order) -> tuple[str, ...]:
    """Explicit kids, before anything starts: a retry must never meet another active key."""
    if sum((bool(order.kids), order.active, order.everything)) != 1:
        raise BadUsage("name KIDs, or --active, or --all")
    if order.active:
        if keyset.active is None:
            raise Failed("no key is active: there is nothing to revoke")
        return (keyset.active.kid,)
    if order.everything:
        return tuple(key.kid for key in keyset.keys)
    unknown = [kid for kid in order.kids if keyset.find(kid) is None]
    if unknown:
        raise BadUsage(f"not in the keyset: {', '.join(unknown)}")
    return order.kids


def _announce(
    terminal: Terminal, deployment: Deployment, keyset: Keyset, kids: tuple[str, ...], order: Order
) -> None:
    for kid in kids:
        key = keyset.get(kid)
        already = " (already: nothing will change)" if isinstance(key, EndedKey) else ""
        terminal.say(f"  {kid}  {key.state}{already}")
    if keyset.active and keyset.active.kid in kids:
        terminal.say(_heir(deployment, keyset, kids))
    bound = deployment.revocation_bound.total_seconds()
    way = "by hand, with your credentials" if order.direct else "by the state machine"
    terminal.say(f"Refused everywhere within {bound:.0f} s (C + G + ε), {way}.")


def _heir(deployment: Deployment, keyset: Keyset, kids: tuple[str, ...]) -> str:
    heir = keyset.standby
    if heir is None or heir.kid in kids:
        return (
            "A new key will be made and sign at once; third parties see it only when they "
            "refetch the JWKS."
        )
    times, now = deployment.settings.times, deployment.clock.now()
    if heir.published and now > timing.may_sign_after(heir.published, times):
        return f"The standby {heir.kid} signs at once; verifiers know it already."
    return (
        f"The standby {heir.kid} signs at once; it is so new that third parties may have to "
        "refetch the JWKS."
    )


def _is_out(keyset: Keyset, kid: str) -> bool:
    return isinstance(keyset.find(kid), EndedKey | None)
