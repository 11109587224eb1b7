"""A function's settings: the environment variables `KEYTURN_*`, which template.yaml sets."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from keyturn.access.routes import RouteTable, parse_entries
from keyturn.aws.gateway_cache import Stage
from keyturn.keyset.timing import Times

_PREFIX = "KEYTURN_"


class InvalidSettings(ValueError):
    """Invalid settings, by name."""


def _text(text: str) -> str:
    if not text:
        raise ValueError("should have at least 1 character")
    return text


def _stages(text: str) -> tuple[Stage, ...]:
    return tuple(map(Stage.parse, filter(None, text.split(","))))


def _window(text: str) -> int:
    days = int(text)
    if not 7 <= days <= 30:  # AWS KMS API Reference, ScheduleKeyDeletion
        raise ValueError("should be from 7 to 30 days")
    return days


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("should be true or false")
    return text == "true"


def _role_prefix(text: str) -> str:
    if not text.startswith("arn:") or not text.endswith("/") or text.count(":") != 5:
        raise ValueError("should be the prefix of the ARNs of the stack's roles")
    return text


def _times(text: str) -> Times:
    members = json.loads(text)
    names = {field.name for field in fields(Times)}
    if not isinstance(members, dict) or members.keys() != names:
        raise ValueError(f"should be an object of {', '.join(sorted(names))}")
    return Times(**{name: _seconds(name, value) for name, value in members.items()})


def _seconds(name: str, value: Any) -> int:
    """An integer, possibly as a string: CloudFormation passes numbers as strings."""
    if type(value) is int:
        return value
    try:
        return int(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{name} should be whole seconds") from None


def _route_table(
    route_scopes: Mapping[str, str] | None = None, times: Times | None = None, **_others: Any
) -> RouteTable | None:
    """API Gateway may cache one answer for all routes of an API (docs/decisions/0023)."""
    is_cached = times is not None and times.result_ttl > 0
    return RouteTable.parse(route_scopes, cached=is_cached) if route_scopes else None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "stack": _text,
    "bucket": _text,
    "audience": _text,
    "deletion_window": _window,
    "times": _times,
    "role_prefix": _role_prefix,
    "issuer": str,
    "token_url": str,
    "route_scopes": parse_entries,
    "flush_targets": _stages,
    "distribution": str,
    "former_issuer": str,
    "jwks_origin": str,
    "retain_keyset": _flag,
    "state_machine": str,
}
_OPTIONAL = {
    "issuer",
    "token_url",
    "route_scopes",
    "flush_targets",
    "distribution",
    "former_issuer",
    "jwks_origin",
    "retain_keyset",
    "state_machine",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a deployment; `issuer` is empty in functions that do not need it."""

    stack: str
    bucket: str
    audience: str
    deletion_window: int  # days
    times: Times
    role_prefix: str  # of the ARNs of the stack's roles: aws/keyset/key_policy.py
    issuer: str = ""
    token_url: str = ""  # where clients request tokens; set in functions that publish it
    route_scopes: RouteTable | None = None  # None: a valid token opens the whole stage
    flush_targets: tuple[Stage, ...] = ()
    distribution: str = ""  # the id of CloudFront's distribution; empty on a local AWS
    former_issuer: str = ""  # also accepted, after a change of domain
    jwks_origin: str = ""  # where the JWKS can be fetched while the issuer's name has no DNS record
    retain_keyset: bool = False  # when the stack is deleted
    state_machine: str = ""  # the ARN of the rotation's state machine

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read `KEYTURN_STACK` and so on; raises InvalidSettings, ContradictorySettings."""
        variables = ((name, _PREFIX + name.upper()) for name in _READERS)
        return cls.from_texts(
            {name: environ[variable] for name, variable in variables if variable in environ}
        )

    @classmethod
    def from_texts(cls, texts: Mapping[str, Any]) -> Self:
        """Parse settings from texts by name; raises InvalidSettings, ContradictorySettings."""
        problems, members = [], {}
        for name, read in _READERS.items():
            try:
                if name in texts:
                    members[name] = read(texts[name])
                elif name not in _OPTIONAL:
                    raise ValueError("is required")
            except (ValueError, TypeError, AttributeError) as error:
                problems.append(f"{name}: {error}")
        try:
            members["route_scopes"] = _route_table(**members)
        except ValueError as error:
            problems.append(f"route_scopes: {error}")
        if problems:
            raise InvalidSettings("; ".join(problems))
        settings = cls(**members)
        settings.times.validate()
        return settings
