"""What `keyturn client` and `keyturn api` share: how a document is written, removed, shown and listed.

SSM writes no parameter on the condition of a version. So the document is read once more just before
it is replaced, and the version that the write returns tells whether another one came in between.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from keyturn.access.api import Api
from keyturn.access.client import Client
from keyturn.access.members import InvalidDocument
from keyturn.aws.deployment import Deployment
from keyturn.aws.faults import Conflict, UnreadableDocument
from keyturn.aws.registry import Registry, Stored
from keyturn.cli.differences import Rows, differences, rows
from keyturn.cli.preflight import check_permissions, document_permission
from keyturn.cli.terminal import BadUsage, Failed, Terminal
from keyturn.tokens import strict_json

T = TypeVar("T", bound=Client | Api)
DOES_NOT_PARSE = "does not parse"
MOST_CHARACTERS = 4096  # of a Standard parameter (AWS SSM API Reference, PutParameter)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the operator agrees to: to look only, to be asked nothing, to change what a stack declares."""

    dry_run: bool = False
    yes: bool = False
    drift: bool = False


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """Clients or APIs, as the commands speak of them."""

    noun: str
    verb: str  # `keyturn <verb> …`, and the member of `--json`
    parse: Callable[[str, Any], T]
    smallest: Mapping[str, Any]  # a document that parses: what is refused then is the name
    defaults: Mapping[str, str]  # what a member means that is left out, in the order to show them
    registry: Callable[[Deployment], Registry[T]]
    effects: Callable[[Deployment, T | None], Sequence[str]]  # of a change, by what was there
    question: str
    removal: str  # what its removal means


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A document that is stored under a name, and what it says."""

    name: str
    stored: Stored | None
    document: Mapping[str, Any] | None = None  # None if it does not parse
    value: T | None = None
    problem: str | None = None

    @property
    def version(self) -> int:
        """SSM's number of what is stored; 0 for nothing."""
        return self.stored.version if self.stored else 0


def say_problems(terminal: Terminal, entries: Iterable[Entry[T]]) -> None:
    """What is wrong with the documents that do not parse."""
    for entry in entries:
        if entry.problem:
            terminal.say(f"{DOES_NOT_PARSE}: {entry.problem}", "red")


class Documents(Generic[T]):
    """The documents of one kind, of one stack."""

    def __init__(self, terminal: Terminal, deployment: Deployment, kind: Kind[T]) -> None:
        self._terminal = terminal
        self._deployment = deployment
        self._kind = kind
        self._registry = kind.registry(deployment)

    def read(self, name: str) -> Entry[T]:
        """What is stored; raises BadUsage for what is no name, AwsFault."""
        self._parse(name, self._kind.smallest)
        return self._entry(name, self._registry.stored(name))

    def existing(self, name: str) -> Entry[T]:
        """The same; raises BadUsage if there is nothing."""
        entry = self.read(name)
        if entry.stored is None:
            remedy = f"`keyturn {self._kind.verb} list` shows them"
            raise BadUsage(f"there is no document of {self._kind.noun} {name}", remedy)
        return entry

    def all(self) -> list[Entry[T]]:
        """Every document, by name; versions are not read. Raises AwsFault."""
        texts = sorted(self._registry.texts().items())
        return [self._entry(name, Stored(text, 0)) for name, text in texts]

    def add(self, name: str, document: Mapping[str, Any], consent: Consent) -> None:
        """Show what the document changes, ask, write it; raises BadUsage, Failed, AwsFault."""
        value = self._parse(name, document)
        text = json.dumps(document, separators=(",", ":"))
        if len(text) > MOST_CHARACTERS:
            raise BadUsage(
                f"the document has {len(text)} characters, a parameter takes {MOST_CHARACTERS}",
                "leave out what the others imply",
            )
        before = self.read(name)
        self._say_change(before, document)
        if before.value == value:
            self._terminal.say("Nothing changes.")
            self._result(before, document, {"written": False})
            return
        if self._may_go_on(before, document, consent, "ssm:PutParameter"):
            self._write(before, text)
            self._terminal.say(f"{self._title(name)} is written.")
            self._result(before, document, {"written": True})

    def remove(self, name: str, consent: Consent) -> None:
        """Show what goes, ask, delete it; raises BadUsage, Failed, AwsFault."""
        before = self.existing(name)
        self._say_change(before, None)
        self._terminal.say(self._kind.removal)
        if self._may_go_on(before, None, consent, "ssm:DeleteParameters"):
            self._insist_on(before)
            self._registry.remove(name)
            self._terminal.say(f"{self._title(name)} is removed.")
            self._result(before, None, {"written": True})

    def show(self, name: str) -> None:
        """One document, member by member; raises BadUsage, Failed, AwsFault."""
        entry = self.existing(name)
        stack = self._registry.stack_of(name)
        self._terminal.say(f"{self._title(name)}, version {entry.version}", "bold")
        if stack:
            self._terminal.say(f"declared by the stack {stack}")
        for label, text in self._rows(entry.document).items():
            self._terminal.say(f"  {label:14}  {text}")
        members = {
            "document": entry.document,
            "version": entry.version,
            "stack": stack,
            "problem": entry.problem,
        }
        self._terminal.result({self._kind.verb: name, **members})
        if entry.problem:
            raise Failed(entry.problem, f"`keyturn {self._kind.verb} add` replaces it")

    def _entry(self, name: str, stored: Stored | None) -> Entry[T]:
        if stored is None:
            return Entry(name, None)
        try:
            value = self._registry.parsed(name, stored.text)
        except UnreadableDocument as error:
            return Entry(name, stored, problem=str(error))
        document = strict_json.loads(stored.text.encode())
        return Entry(name, stored, document, value)

    def _parse(self, name: str, document: Mapping[str, Any]) -> T:
        try:
            return self._kind.parse(name, document)
        except InvalidDocument as error:
            raise BadUsage(str(error)) from None

    def _title(self, name: str) -> str:
        return f"The document of {self._kind.noun} {name}"

    def _rows(self, document: Mapping[str, Any] | None) -> Rows:
        return rows(document, self._kind.defaults)

    def _say_change(self, before: Entry[T], after: Mapping[str, Any] | None) -> None:
        self._terminal.say(f"{self._kind.noun} {before.name}", "bold")
        if before.problem:
            self._terminal.say(f"  does not parse today ({before.problem})")
        for line in differences(self._rows(before.document), self._rows(after)):
            self._terminal.say(f"  {line}")

    def _may_go_on(
        self, before: Entry[T], after: Mapping[str, Any] | None, consent: Consent, action: str
    ) -> bool:
        """Whether it is to be done now; raises BadUsage, Failed."""
        parameter = self._registry.parameter(before.name)
        for effect in self._kind.effects(self._deployment, before.value):
            self._terminal.say(effect)
        stack = self._registry.stack_of(before.name) if before.stored else None
        if stack:
            self._terminal.say(
                f"The stack {stack} declares this document. What is changed by hand, its next update "
                "may undo, and drift detection reports."
            )
        if consent.dry_run:
            permission = document_permission(self._deployment, action, parameter)
            verdicts = check_permissions(self._terminal, self._deployment, permission)
            self._result(before, after, {"dry_run": True, "stack": stack, "permissions": verdicts})
            return False
        if stack and not consent.drift:
            raise Failed(
                f"the stack {stack} declares {parameter}",
                "change it in that stack's template, or add --drift if that takes too long",
            )
        if not consent.yes:
            self._terminal.confirm(self._kind.question)
        return True

    def _write(self, before: Entry[T], text: str) -> None:
        self._insist_on(before)
        try:
            version = self._registry.put(before.name, text, overwrite=before.stored is not None)
        except Conflict:
            raise self._changed(before.name) from None
        if version != before.version + 1:
            raise Failed(
                f"written, but over a change that was made at the same time (version {version})",
                f"`keyturn {self._kind.verb} show {before.name}` shows what counts now",
            )

    def _insist_on(self, before: Entry[T]) -> None:
        """That nothing changed while the operator was asked; raises Failed."""
        if self._registry.stored(before.name) != before.stored:
            raise self._changed(before.name)

    def _changed(self, name: str) -> Failed:
        return Failed(
            f"the document of {self._kind.noun} {name} changed meanwhile: nothing was done",
            "run it again, and see what it changes now",
        )

    def _result(
        self, before: Entry[T], after: Mapping[str, Any] | None, members: Mapping[str, Any]
    ) -> None:
        change = {"before": before.document, "after": after}
        self._terminal.result({self._kind.verb: before.name, **change, **members})
