"""SSM Parameter Store as the product uses it: Standard tier, create-if-absent, reads from the past.

Source: AWS Systems Manager API Reference; each rule has a case in tests/cloud/contract.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from keyturn.keyset.lineage import StoredParameter
from tests.cloud.errors import refused
from tests.cloud.wire import Call, Listing, Wire

MAX_BYTES = 4096
_PAGE = 10
_SHOWN = 300.0  # seconds after which no read shows what is gone; far more than any lag


@dataclass
class Parameter:
    """Its values and when each was written (None while it was deleted); `deleted` is when it was deleted."""

    values: list[tuple[float, str | None]]
    deleted: float | None = None

    def at(self, instant: float) -> str | None:
        """The value that a read shows as of this instant."""
        if self.deleted is not None and self.deleted <= instant:
            return None
        since, text = self.values[-1]
        if since <= instant:
            return text
        return next((text for since, text in reversed(self.values) if since <= instant), None)


class Ssm:
    """Parameters by name; `watch(name, text)` is called at every write."""

    def __init__(self, wire: Wire, epoch: datetime) -> None:
        self._wire = wire
        self.epoch = epoch
        self.parameters: dict[str, Parameter] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.planted: set[str] = set()
        self.stirred = 0  # how often anything changed
        self.watch = lambda name, text: None

    def client(self, *, retries: bool) -> "SsmClient":
        """A client; `retries` says whether it repeats a call without a reply."""
        return SsmClient(self, self._wire, retries)

    def see(self, name: str, at: float) -> str | None:
        """The value of a parameter at that instant."""
        parameter = self.parameters.get(name)
        return parameter.at(at) if parameter else None

    def value(self, name: str) -> str:
        """The value now; raises KeyError if the parameter is missing."""
        text = self.see(name, self._wire.now())
        if text is None:
            raise KeyError(name)
        return text

    def put(self, name: str, text: str, *, overwrite: bool = False) -> None:
        """Write now."""
        self.stirred += 1
        if len(text.encode()) > MAX_BYTES:
            raise refused("ValidationException")
        now = self._wire.now()
        there = self.parameters.get(name)
        if there and there.deleted is None:
            if not overwrite:
                raise refused("ParameterAlreadyExists")
            there.values.append((now, text))
        else:
            self.parameters[name] = Parameter([(now, text)])
        self.watch(name, text)

    def declare(self, name: str, text: str) -> None:
        """A team's template puts a document that is no generation."""
        there = self.parameters.setdefault(name, Parameter([]))
        if there.deleted is not None:
            there.values.append((there.deleted, None))
        there.values.append((self._wire.now(), text))
        there.deleted = None

    def plant(self, name: str, text: str) -> None:
        """Another principal creates a parameter; `watch` is called only if it comes to count."""
        self.stirred += 1
        if self.see(name, self._wire.now()) is None:
            self.parameters[name] = Parameter([(self._wire.now(), text)])
            self.planted.add(name)

    def stored(self, path: str) -> list[StoredParameter]:
        """The parameters directly below the path now."""
        now = self._wire.now()
        below = (name for name in self.parameters if name.rpartition("/")[0] == path)
        names = [name for name in below if self.see(name, now) is not None]
        return [_stored(self.shown(name, now)) for name in names]

    def shown(self, name: str, at: float) -> dict[str, Any]:
        """A parameter as a read shows it; every write is a version with a date."""
        values = self.parameters[name].values
        versions = [since for since, text in values if since <= at and text is not None]
        return {
            "Name": name,
            "Value": self.see(name, at),
            "Version": len(versions),
            "LastModifiedDate": self.epoch + timedelta(seconds=versions[-1]),
        }

    def delete(self, names: Iterable[str]) -> None:
        """Delete now, and drop what was deleted so long ago that no read shows it."""
        self.stirred += 1
        now = self._wire.now()
        for name in names:
            parameter = self.parameters.get(name)
            if parameter and parameter.deleted is None:
                parameter.deleted = now
        for name, parameter in list(self.parameters.items()):
            if parameter.deleted is not None and parameter.deleted < now - _SHOWN:
                del self.parameters[name]


class SsmClient:
    """boto3's ssm, as far as the product calls it."""

    def __init__(self, ssm: Ssm, wire: Wire, retries: bool) -> None:
        self._ssm, self._wire, self._retries = ssm, wire, retries

    def put_parameter(
        self,
        Name,  # noqa: N803
        Value,  # noqa: N803
        Type,  # noqa: N803
        Tier="Standard",  # noqa: N803
        Overwrite=False,  # noqa: N803
    ) -> dict[str, Any]:
        """PutParameter."""
        assert (Type, Tier) == ("String", "Standard")

        def effect(at: float) -> dict[str, Any]:
            self._ssm.put(Name, Value, overwrite=Overwrite)
            return {"Tier": Tier, "Version": self._ssm.shown(Name, at)["Version"]}

        return self._call(
            "PutParameter",
            effect,
            Name=Name,
            Value=Value,
            Type=Type,
            Tier=Tier,
            Overwrite=Overwrite,
        )

    def get_parameters(self, Names) -> dict[str, Any]:  # noqa: N803
        """GetParameters: up to ten names; lists the missing ones."""
        if not 0 < len(Names) <= _PAGE:
            raise refused("ValidationException")

        def effect(at: float) -> dict[str, Any]:
            values = {name: self._ssm.see(name, at) for name in Names}
            return {
                "Parameters": [self._ssm.shown(n, at) for n, v in values.items() if v is not None],
                "InvalidParameters": [name for name, value in values.items() if value is None],
            }

        return self._call("GetParameters", effect, Names[0].rpartition("/")[0], Names=Names)

    def delete_parameters(self, Names) -> dict[str, Any]:  # noqa: N803
        """DeleteParameters: up to ten names."""
        if not 0 < len(Names) <= _PAGE:
            raise refused("ValidationException")

        def effect(_at: float) -> dict[str, Any]:
            self._ssm.delete(Names)
            return {}

        return self._call("DeleteParameters", effect, Names=Names)

    def list_tags_for_resource(self, ResourceType, ResourceId) -> dict[str, Any]:  # noqa: N803
        """ListTagsForResource: a parameter that a stack declares has CloudFormation's tag."""
        assert ResourceType == "Parameter"

        def effect(at: float) -> dict[str, Any]:
            if self._ssm.see(ResourceId, at) is None:
                raise refused("InvalidResourceId")
            tags = self._ssm.tags.get(ResourceId, {})
            return {"TagList": [{"Key": name, "Value": text} for name, text in tags.items()]}

        return self._call("ListTagsForResource", effect, ResourceId=ResourceId)

    def get_paginator(self, name: str) -> Listing:
        """The one listing that the product requests."""
        assert name == "get_parameters_by_path"
        return Listing(self._pages)

    def _pages(self, Path: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """GetParametersByPath: ten per page, each page as of its own read."""
        beyond = ""
        while True:
            after = beyond

            def effect(at: float, after: str = after) -> dict[str, Any]:
                names = sorted(
                    name
                    for name in self._ssm.parameters
                    if name > after
                    and name.rpartition("/")[0] == Path
                    and self._ssm.see(name, at) is not None
                )
                page = [self._ssm.shown(n, at) for n in names[:_PAGE]]
                return {"Parameters": page, **({"NextToken": "on"} if len(names) > _PAGE else {})}

            page = self._call("GetParametersByPath", effect, Path, Path=Path)
            yield page
            if "NextToken" not in page:
                return
            beyond = page["Parameters"][-1]["Name"]

    def _call(self, name: str, effect: Any, path: str = "", **arguments: Any) -> Any:
        return self._wire.carry(Call(f"ssm:{name}", effect, self._retries, path, arguments))


def _stored(shown: Mapping[str, Any]) -> StoredParameter:
    name = shown["Name"].rpartition("/")[2]
    return StoredParameter(name, shown["Value"], shown["Version"], shown["LastModifiedDate"])
