"""A function's settings: environment variables `KEYTURN_*`, set by template.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from keyturn.aws.events import describe
from keyturn.aws.gateway_cache import Stage
from keyturn.keyset.timing import Times

_PREFIX = "KEYTURN_"


class InvalidSettings(ValueError):
    """Settings that cannot be used, by name."""


@dataclass(frozen=True, slots=True)
class RouteScopes:
    """A route of the API and the scopes that open it, all of them."""

    method: str
    path: str
    scopes: frozenset[str]


def parse_route_scopes(text: str) -> tuple[RouteScopes, ...]:
    """Routes from `GET /whoami=whoami:read;POST /orders=orders:write`; raises ValueError."""
    routes = []
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        route, equals, scopes = entry.partition("=")
        method, _, path = route.strip().partition(" ")
        if not (equals and method.isalpha() and path.startswith("/") and scopes.split()):
            raise ValueError(f"`{entry}` is not of the form `GET /path=scope`")
        routes.append(RouteScopes(method.upper(), path.strip(), frozenset(scopes.split())))
    return tuple(routes)


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


_Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
_Times = Annotated[
    Times,
    BeforeValidator(lambda v: TypeAdapter(Times).validate_json(v) if isinstance(v, str) else v),
]
_Routes = Annotated[
    tuple[RouteScopes, ...],
    BeforeValidator(lambda v: parse_route_scopes(v) if isinstance(v, str) else v),
]


_Stages = Annotated[
    tuple[Stage, ...],
    BeforeValidator(
        lambda v: tuple(map(Stage.parse, filter(None, v.split(",")))) if isinstance(v, str) else v
    ),
]


class Settings(BaseModel):
    """What a deployment is told. `issuer` is empty where a function does not speak for it."""

    model_config = ConfigDict(frozen=True)

    stack: str = Field(min_length=1)
    bucket: str = Field(min_length=1)
    issuer: str = ""
    audience: str = Field(min_length=1)
    allowed_audiences: _Words
    allowed_scopes: _Words = ()
    route_scopes: _Routes = ()
    flush_targets: _Stages = ()
    deletion_window: int = Field(ge=7, le=30)
    times: _Times

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.audience not in self.allowed_audiences:
            raise ValueError("audience is not one of allowed_audiences")
        unknown = {scope for route in self.route_scopes for scope in route.scopes}
        unknown -= set(self.allowed_scopes)
        if unknown:
            raise ValueError(f"route_scopes needs {sorted(unknown)}, not in allowed_scopes")
        return self

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read `KEYTURN_STACK` and so on; raises InvalidSettings, ContradictorySettings."""
        return cls.checked(
            {
                name: environ[_PREFIX + name.upper()]
                for name in cls.model_fields
                if _PREFIX + name.upper() in environ
            }
        )

    @classmethod
    def checked(cls, fields: Mapping[str, Any]) -> Self:
        """Settings from their fields' texts; raises InvalidSettings, ContradictorySettings."""
        try:
            settings = cls.model_validate(fields)
        except ValidationError as error:
            raise InvalidSettings(describe(error)) from None
        settings.times.checked()
        return settings
