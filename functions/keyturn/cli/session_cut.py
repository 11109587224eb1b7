"""`keyturn revoke --cut-sessions`: cut the issuer role's sessions, and prove that it can issue."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.sessions import POLICY, cut_sessions
from keyturn.cli.terminal import CommandFailed, Terminal

# By then IAM denies everywhere; before, an old session may issue a token.
_SETTLE = timedelta(seconds=30)
_PATIENCE = timedelta(minutes=2)  # for new containers with new sessions
_PAUSE = 3.0  # seconds


@dataclass
class SessionCut:
    """A cut of sessions; `role` is None until it has been made."""

    terminal: Terminal
    deployment: Deployment
    role: str | None = None
    cut_at: datetime | None = None

    def cut(self) -> None:
        """Deny everything to the existing sessions; raises AwsFault."""
        self.role = cut_sessions(self.deployment.stack)
        self.cut_at = self.deployment.clock.now()
        self.terminal.say(f"Sessions of {self.role} are cut; its containers are being replaced.")

    def prove_issuing(self) -> None:
        """Wait for a token from a new container; raises CommandFailed with a way to undo it."""
        if self.role is None or self.cut_at is None:
            return
        clock = self.deployment.clock
        with self.terminal.progress("waiting for the issuer's new containers"):
            clock.sleep(max(0.0, (self.cut_at + _SETTLE - clock.now()).total_seconds()))
            limit = clock.now() + _PATIENCE
            while problem := self._problem():
                if clock.now() > limit:
                    raise CommandFailed(
                        f"the issuer has not issued a token since the cut ({problem}); if it does "
                        f"not recover, undo the cut: aws iam delete-role-policy --role-name "
                        f"{self.role} --policy-name {POLICY}"
                    )
                clock.sleep(_PAUSE)
        self.terminal.say("The issuer issues tokens again.")

    def _problem(self) -> str | None:
        try:
            status = self.deployment.post_token({"subject": "keyturn-proof"}).status
        except Exception as error:  # noqa: BLE001 - any failure is retried
            return str(error) or type(error).__name__
        return None if status == 200 else f"POST /token answers {status}"
