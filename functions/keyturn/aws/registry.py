"""The documents of clients and APIs in SSM, which teams declare in their own templates."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from keyturn.access.api import Api
from keyturn.access.client import Client
from keyturn.access.members import InvalidDocument
from keyturn.aws.faults import UnreadableDocument, translate_errors
from keyturn.aws.telemetry import Metric, measure
from keyturn.aws.view import Reader, View
from keyturn.tokens import strict_json

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

T = TypeVar("T", bound=Client | Api)
MAX_VIEWS = 1000  # names come from callers
# CloudFormation sets this tag on each parameter that it creates, and a later PutParameter keeps it
# (CloudFormation Template Reference, AWS::SSM::Parameter).
_STACK_TAG = "aws:cloudformation:stack-name"


@dataclass(frozen=True, slots=True)
class StoredDocument(Generic[T]):
    """A document as stored, with its parsed `value`, or the `problem` if it cannot be parsed.

    SSM counts versions from 1; `version` is 0 if it was not requested.
    """

    text: str
    version: int
    value: T | None
    problem: UnreadableDocument | None

    @property
    def members(self) -> dict[str, Any] | None:
        """Its members as written, or None if it cannot be parsed."""
        return strict_json.loads(self.text.encode()) if self.value else None


class Registry(Generic[T]):
    """Documents below `/keyturn/<stack>/<kind>/`, by the client's name or the API's id."""

    def __init__(self, path: str, parse: Callable[[str, Any], T], ssm: "SSMClient") -> None:
        self._path = path
        self._parse = parse
        self._ssm = ssm

    def read(self, name: str) -> T | None:
        """The parsed document, None if there is none; raises UnreadableDocument, AwsFault."""
        stored = self.read_document(name)
        if stored and stored.problem:
            raise stored.problem
        return stored.value if stored else None

    def parse(self, name: str, text: str) -> T:
        """Parse a document's text; raises UnreadableDocument."""
        try:
            value: T = self._parse(name, strict_json.loads(text.encode()))
        except InvalidDocument as error:
            raise UnreadableDocument(self.parameter_name(name), str(error)) from None
        except ValueError as error:
            raise UnreadableDocument(
                self.parameter_name(name), f"not a JSON object ({error})"
            ) from None
        return value

    def read_texts(self) -> dict[str, str]:
        """Every document's text by name; raises AwsFault."""
        with translate_errors("ssm:GetParametersByPath"):
            pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=self._path)
            return {
                parameter["Name"].rpartition("/")[2]: parameter["Value"]
                for page in pages
                for parameter in page["Parameters"]
            }

    def read_all(self) -> dict[str, StoredDocument[T]]:
        """Every document by name, without versions; raises AwsFault."""
        return {
            name: self._parse_document(name, text, 0) for name, text in self.read_texts().items()
        }

    def read_document(self, name: str) -> StoredDocument[T] | None:
        """The document, even if it cannot be parsed; None if there is none; raises AwsFault."""
        with translate_errors("ssm:GetParameters"):
            answer = self._ssm.get_parameters(Names=[self.parameter_name(name)])
        for parameter in answer["Parameters"]:
            return self._parse_document(name, parameter["Value"], parameter["Version"])
        return None

    def _parse_document(self, name: str, text: str, version: int) -> StoredDocument[T]:
        try:
            return StoredDocument(text, version, self.parse(name, text), None)
        except UnreadableDocument as problem:
            return StoredDocument(text, version, None, problem)

    def put(self, name: str, text: str, *, overwrite: bool = True) -> int:
        """Write a document, after checking that it can be parsed; returns its version.

        SSM has no conditional overwrite. A caller that has read version n learns of a write in
        between afterwards, because the new version is not n + 1. Raises UnreadableDocument,
        AwsFault; Conflict if the document exists and `overwrite` is False.
        """
        self.parse(name, text)
        with translate_errors("ssm:PutParameter"):
            answer = self._ssm.put_parameter(
                Name=self.parameter_name(name), Value=text, Type="String", Overwrite=overwrite
            )
        return answer["Version"]

    def remove(self, name: str) -> None:
        """Delete a document, if there is one; raises AwsFault."""
        with translate_errors("ssm:DeleteParameters"):
            self._ssm.delete_parameters(Names=[self.parameter_name(name)])

    def find_stack(self, name: str) -> str | None:
        """The CloudFormation stack that declares a document, if there is one; raises AwsFault."""
        with translate_errors("ssm:ListTagsForResource"):
            tags = self._ssm.list_tags_for_resource(
                ResourceType="Parameter", ResourceId=self.parameter_name(name)
            )["TagList"]
        return next((tag["Value"] for tag in tags if tag["Key"] == _STACK_TAG), None)

    def parameter_name(self, name: str) -> str:
        """The name of the document's SSM parameter."""
        return f"{self._path}/{name}"


@dataclass(frozen=True, slots=True)
class _DocumentReader(Generic[T]):
    """One document as a view reads it: each readable version replaces the previous one."""

    registry: Registry[T]
    name: str

    def read(self) -> T | None:
        try:
            return self.registry.read(self.name)
        except UnreadableDocument:
            parameter = self.registry.parameter_name(self.name)
            measure(Metric.UNREADABLE_DOCUMENTS, parameter=parameter)
            raise

    def read_newer(self, _previous: T | None) -> T | None:
        return self.read()


class Views(Generic[T]):
    """A registry's documents as this container last saw them, with one view per document."""

    def __init__(
        self, registry: Registry[T], make_view: Callable[[Reader[T | None]], View[T | None]]
    ) -> None:
        self._registry = registry
        self._make_view = make_view
        self._views: dict[str, View[T | None]] = {}

    def view(self, name: str) -> View[T | None]:
        """The view of one document; above MAX_VIEWS the oldest view is dropped."""
        if name not in self._views:
            if len(self._views) >= MAX_VIEWS:
                del self._views[next(iter(self._views))]
            self._views[name] = self._make_view(_DocumentReader(self._registry, name))
        return self._views[name]


def client_registry(stack: str, ssm: "SSMClient") -> Registry[Client]:
    """The clients of a stack."""
    return Registry(f"/keyturn/{stack}/clients", Client.from_document, ssm)


def api_registry(stack: str, ssm: "SSMClient") -> Registry[Api]:
    """The APIs of a stack."""
    return Registry(f"/keyturn/{stack}/apis", Api.from_document, ssm)
