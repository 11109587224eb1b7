"""What `keyturn client` and `keyturn api` share: the documents of clients and APIs, read and shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from keyturn.access.api import Api
from keyturn.access.client import Client
from keyturn.access.members import InvalidDocument
from keyturn.aws.deployment import Deployment
from keyturn.aws.registry import Registry, StoredDocument
from keyturn.cli.differences import rows
from keyturn.cli.terminal import BadUsage, Failed, Terminal

T = TypeVar("T", bound=Client | Api)
DOES_NOT_PARSE = "does not parse"


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """Clients or APIs, as the commands speak of them."""

    noun: str
    verb: str  # `keyturn <verb> …`, and the member of `--json`
    from_document: Callable[[str, Any], T]
    smallest: Mapping[str, Any]  # a document that parses: what is refused then is the name
    defaults: Mapping[str, str]  # what a member means that is left out, in the order to show them
    registry: Callable[[Deployment], Registry[T]]
    effects: Callable[[Deployment, T | None], Sequence[str]]  # of a change, by what was there
    question: str
    removal: str  # what its removal means

    def parse(self, name: str, document: Mapping[str, Any]) -> T:
        """What a document says; raises BadUsage, which names the member or the name."""
        try:
            return self.from_document(name, document)
        except InvalidDocument as error:
            raise BadUsage(str(error)) from None

    def read(self, deployment: Deployment, name: str) -> StoredDocument[T] | None:
        """What is stored; raises BadUsage for what is no name, AwsFault."""
        self.parse(name, self.smallest)
        return self.registry(deployment).read_document(name)

    def read_existing(self, deployment: Deployment, name: str) -> StoredDocument[T]:
        """The same; raises BadUsage if there is nothing."""
        declared = self.read(deployment, name)
        if declared is None:
            remedy = f"`keyturn {self.verb} list` shows them"
            raise BadUsage(f"there is no document of {self.noun} {name}", remedy)
        return declared

    def title(self, name: str) -> str:
        """As a sentence begins."""
        return f"The document of {self.noun} {name}"


def show(terminal: Terminal, deployment: Deployment, kind: Kind[T], name: str) -> None:
    """One document, member by member; raises BadUsage, Failed, AwsFault."""
    declared = kind.read_existing(deployment, name)
    stack = kind.registry(deployment).find_stack(name)
    terminal.say(f"{kind.title(name)}, version {declared.version}", "bold")
    if stack:
        terminal.say(f"declared by the stack {stack}")
    for label, text in rows(declared.members, kind.defaults).items():
        terminal.say(f"  {label:14}  {text}")
    where = {"version": declared.version, "stack": stack}
    terminal.result({kind.verb: name, **in_json(declared), **where})
    if declared.problem:
        raise Failed(str(declared.problem), f"`keyturn {kind.verb} add` replaces it")


def say_problems(terminal: Terminal, documents: Mapping[str, StoredDocument[T]]) -> None:
    """What is wrong with the documents that do not parse."""
    for name in sorted(documents):
        if problem := documents[name].problem:
            terminal.say(f"{DOES_NOT_PARSE}: {problem}", "red")


def in_json(declared: StoredDocument[T] | None) -> Mapping[str, Any]:
    """A document as `--json` has it."""
    problem = declared.problem if declared else None
    return {
        "document": declared.members if declared else None,
        "problem": str(problem) if problem else None,
    }
