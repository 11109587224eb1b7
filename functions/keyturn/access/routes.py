"""Routes and the scopes that open them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RouteScopes:
    """A route of the API and the scopes that open it, all of them."""

    method: str
    path: str
    scopes: frozenset[str]


def parse_routes(entries: Mapping[str, str]) -> tuple[RouteScopes, ...]:
    """Routes from `{"GET /orders": "orders:read"}`; raises ValueError."""
    return parse_route_scopes(";".join(f"{route}={scopes}" for route, scopes in entries.items()))


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
