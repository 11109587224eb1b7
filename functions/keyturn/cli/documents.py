"""What `keyturn client` and `keyturn api` share: reading and showing documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from keyturn.access.api import Api
from keyturn.access.client import Client
from keyturn.access.members import InvalidDocument
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.registry import Registry, StoredDocument
from keyturn.cli.differences import rows
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError

T = TypeVar("T", bound=Client | Api)
DOES_NOT_PARSE = "does not parse"


@dataclass(frozen=True, slots=True)
class DocumentKind(Generic[T]):
    """The kind of document, client or API, with its commands and texts."""

    noun: str
    verb: str  # `keyturn <verb> …`, and the member of `--json`
    from_document: Callable[[str, Any], T]
    minimal: Mapping[str, Any]  # a valid document: with it, only the name can be refused
    defaults: Mapping[str, str]  # what an omitted member means, in display order
    registry: Callable[[Deployment], Registry[T]]
    effects: Callable[[Deployment, T | None], Sequence[str]]  # of a change
    question: str
    removal: str  # what its removal means

    def parse(self, name: str, document: Mapping[str, Any]) -> T:
        """Parse a document; raises UsageError, which names the member or the name."""
        try:
            return self.from_document(name, document)
        except InvalidDocument as error:
            raise UsageError(str(error)) from None

    def read(self, deployment: Deployment, name: str) -> StoredDocument[T] | None:
        """The stored document, if there is one; raises UsageError for a bad name, AwsFault."""
        self.parse(name, self.minimal)
        return self.registry(deployment).read_document(name)

    def read_existing(self, deployment: Deployment, name: str) -> StoredDocument[T]:
        """The stored document; also raises UsageError if there is none."""
        stored = self.read(deployment, name)
        if stored is None:
            remedy = f"`keyturn {self.verb} list` shows them"
            raise UsageError(f"there is no document of {self.noun} {name}", remedy)
        return stored

    def title(self, name: str) -> str:
        """The kind and the name, for the beginning of a sentence."""
        return f"The document of {self.noun} {name}"


def show(terminal: Terminal, deployment: Deployment, kind: DocumentKind[T], name: str) -> None:
    """Show one document, member by member; raises UsageError, CommandFailed, AwsFault."""
    stored = kind.read_existing(deployment, name)
    stack = kind.registry(deployment).find_stack(name)
    terminal.say(f"{kind.title(name)}, version {stored.version}", "bold")
    if stack:
        terminal.say(f"declared by the stack {stack}")
    for label, text in rows(stored.members, kind.defaults).items():
        terminal.say(f"  {label:14}  {text}")
    where = {"version": stored.version, "stack": stack}
    terminal.result({kind.verb: name, **to_json(stored), **where})
    if stored.problem:
        raise CommandFailed(str(stored.problem), f"`keyturn {kind.verb} add` replaces it")


def say_problems(terminal: Terminal, documents: Mapping[str, StoredDocument[T]]) -> None:
    """Print what is wrong with the documents that cannot be parsed."""
    for name in sorted(documents):
        if problem := documents[name].problem:
            terminal.say(f"{DOES_NOT_PARSE}: {problem}", "red")


def to_json(stored: StoredDocument[T] | None) -> Mapping[str, Any]:
    """A document as in `--json`."""
    problem = stored.problem if stored else None
    return {
        "document": stored.members if stored else None,
        "problem": str(problem) if problem else None,
    }
