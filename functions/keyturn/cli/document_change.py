"""Writing and removing the document of a client or an API: show, confirm, check again, write.

SSM has no conditional overwrite. So the document is read again just before it is replaced, and the
version that the write returns shows whether there was another write in between.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic

from keyturn.aws.faults import Conflict
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.registry import StoredDocument
from keyturn.cli.differences import differences, rows
from keyturn.cli.documents import DocumentKind, T
from keyturn.cli.preflight import check_permissions, document_permission
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError

MAX_CHARACTERS = 4096  # of a Standard parameter (AWS SSM API Reference, PutParameter)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the operator consents to: a dry run, no question, changing what a stack declares."""

    dry_run: bool = False
    yes: bool = False
    drift: bool = False


@dataclass(frozen=True)
class Change(Generic[T]):
    """A document before and after the change; `after` is None for a removal."""

    terminal: Terminal
    deployment: Deployment
    kind: DocumentKind[T]
    name: str
    before: StoredDocument[T] | None
    after: Mapping[str, Any] | None

    def write(self, consent: Consent) -> None:
        """Write it; raises UsageError, CommandFailed, AwsFault."""
        after = self.kind.parse(self.name, self.after or {})
        text = json.dumps(self.after, separators=(",", ":"))
        if len(text) > MAX_CHARACTERS:
            raise UsageError(
                f"the document has {len(text)} characters; a parameter can hold {MAX_CHARACTERS}",
                "shorten it: in a route table `ANY` covers the methods, `{proxy+}` the paths below",
            )
        self._say()
        if self.before and self.before.value == after:
            self.terminal.say("Nothing changes.")
            self._result({"written": False})
        elif self._confirm(consent, "ssm:PutParameter"):
            self._put(text)
            self.terminal.say(f"{self.kind.title(self.name)} is written.")
            self._result({"written": True})

    def remove(self, consent: Consent) -> None:
        """Delete it; raises UsageError, CommandFailed, AwsFault."""
        self._say()
        self.terminal.say(self.kind.removal)
        if self._confirm(consent, "ssm:DeleteParameters"):
            self._check_unchanged()
            self.kind.registry(self.deployment).remove(self.name)
            self.terminal.say(f"{self.kind.title(self.name)} is removed.")
            self._result({"written": True})

    def _say(self) -> None:
        self.terminal.say(f"{self.kind.noun} {self.name}", "bold")
        if self.before and self.before.problem:
            self.terminal.say(f"  does not parse now ({self.before.problem})")
        before = rows(self.before.members if self.before else None, self.kind.defaults)
        for line in differences(before, rows(self.after, self.kind.defaults)):
            self.terminal.say(f"  {line}")

    def _confirm(self, consent: Consent, action: str) -> bool:
        """Whether to go ahead; raises UsageError, CommandFailed."""
        registry = self.kind.registry(self.deployment)
        for effect in self.kind.effects(
            self.deployment, self.before.value if self.before else None
        ):
            self.terminal.say(effect)
        parameter = registry.parameter_name(self.name)
        stack = registry.find_stack(self.name) if self.before else None
        if stack:
            self.terminal.say(
                f"The stack {stack} declares this document. Drift detection will report a change by "
                "hand, and the stack's next update may undo it."
            )
        if consent.dry_run:
            permission = document_permission(self.deployment, action, parameter)
            verdicts = check_permissions(self.terminal, self.deployment, permission)
            self._result({"dry_run": True, "stack": stack, "permissions": verdicts})
            return False
        if stack and not consent.drift:
            raise CommandFailed(
                f"the stack {stack} declares {parameter}",
                "change it in that stack's template, or add --drift if that takes too long",
            )
        if not consent.yes:
            self.terminal.confirm(self.kind.question)
        return True

    def _put(self, text: str) -> None:
        self._check_unchanged()
        registry = self.kind.registry(self.deployment)
        try:
            version = registry.put(self.name, text, overwrite=self.before is not None)
        except Conflict:
            raise self._conflict() from None
        if version != (self.before.version if self.before else 0) + 1:
            raise CommandFailed(
                f"written, but it overwrote a change made at the same time (version {version})",
                f"`keyturn {self.kind.verb} show {self.name}` shows what counts now",
            )

    def _check_unchanged(self) -> None:
        """Check that nothing changed before the operator confirmed; raises CommandFailed."""
        now = self.kind.registry(self.deployment).read_document(self.name)
        if _describe_stored(now) != _describe_stored(self.before):
            raise self._conflict()

    def _conflict(self) -> CommandFailed:
        return CommandFailed(
            f"the document of {self.kind.noun} {self.name} changed meanwhile: nothing was done",
            "run it again, and check what it would change now",
        )

    def _result(self, members: Mapping[str, Any]) -> None:
        before = self.before.members if self.before else None
        self.terminal.result(
            {self.kind.verb: self.name, "before": before, "after": self.after, **members}
        )


def _describe_stored(stored: StoredDocument[T] | None) -> tuple[str, int] | None:
    return (stored.text, stored.version) if stored else None
