"""A route table: which scopes open which routes. It means the same for every kind of API.

A request is matched segment by segment with the entries for its method; `ANY` is an entry for every
method that the same path does not name. The most specific path decides, and requires all its
scopes. Without a matching entry the request is refused. So `{name}` never opens a fixed sibling.
API Gateway also chooses the most specific route that has the method, and falls back to a less
specific one only if it does not have it.

Source: API Gateway Developer Guide, "Create routes for HTTP APIs", "Routing API requests". For REST
APIs this is not documented. Others have measured that `GET /users/me` reaches `/users/{id}` if
`/users/me` only has `PATCH`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from keyturn.access import paths
from keyturn.access.paths import Parts, matches
from keyturn.access.shared_policy import Route, Scopes, SharedPolicy

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
ANY = "ANY"
CONNECT = "$connect"  # the only route of a WebSocket API that has an authorizer
DEFAULT = "$default"  # an HTTP API's fallback route
MAX_ROUTE = 256  # characters; with API, stage and method they stay within MAX_ARN of api/gateway.py


@dataclass(frozen=True, slots=True)
class RouteTable:
    """What a valid token opens: `entries` as written, and `scopes`, all that they name."""

    entries: Mapping[str, str]
    scopes: Scopes = field(compare=False)
    shared: SharedPolicy | None = None  # if API Gateway caches one answer for all routes
    _connect: Scopes | None = field(default=None, compare=False)
    _routes: Mapping[str, Sequence[Route]] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, entries: Mapping[str, str], *, cached: bool = False) -> Self:
        """From `{"GET /orders/{id}": "orders:read"}`; raises ValueError, which names the entry.

        `cached`: one policy is cached for all routes (a REST API with a TOKEN authorizer and a
        result cache). Then a table that no single policy can express is also refused.
        """
        if not entries:
            raise ValueError("the table has no routes")
        entry_by_route: dict[tuple[str, Parts], str] = {}
        for entry, scopes in entries.items():
            try:
                key = _parse(entry)
                if key in entry_by_route:
                    raise ValueError(f"is the same route as `{entry_by_route[key]}`")
                if not isinstance(scopes, str):
                    raise ValueError("the scopes should be a string")
            except ValueError as error:
                raise ValueError(f"`{entry[:MAX_ROUTE]}`: {error}") from None
            entry_by_route[key] = entry
        connect = entry_by_route.pop((CONNECT, ()), None)
        routes = _group_by_method(entry_by_route, entries)
        return cls(
            entries=dict(entries),
            scopes=frozenset(" ".join(entries.values()).split()),
            shared=SharedPolicy.build(routes) if cached else None,
            _connect=None if connect is None else frozenset(entries[connect].split()),
            _routes=routes,
        )

    def opens(self, method: str, path: str, chosen_route: str | None, scopes: Scopes) -> bool:
        """Whether a token with these scopes opens `method` at `path`, which begins with `/`.

        `chosen_route` is the route that API Gateway reports: `GET /orders/{id}` or `/orders/{id}`.
        It must match the path and, if it is in the table, be open as well, because a decoded `%2F`
        makes one route's path look like another's. `$connect` has no path.
        """
        if method == CONNECT:
            return not path and self._connect is not None and self._connect <= scopes
        segments = paths.split(path)
        if segments is None:
            return False
        routes = self._routes.get(method, ())
        for route in routes:
            if matches(route.parts, segments):
                break
        else:
            return False
        if not route.scopes <= scopes:
            return False
        if chosen_route is None or chosen_route == DEFAULT:
            return True
        chosen_method, _, chosen_path = chosen_route.rpartition(" ")
        parts = paths.parse_chosen_route(chosen_path)
        return (
            chosen_method in ("", ANY, method)
            and matches(parts, segments)
            and all(route.scopes <= scopes for route in routes if route.parts == parts)
        )

    def list_open_entries(self, scopes: Scopes) -> dict[str, bool]:
        """Each entry as written, and whether these scopes open it."""
        return {route: scopes.issuperset(text.split()) for route, text in self.entries.items()}


def parse_entries(text: str) -> dict[str, str]:
    """The entries of `GET /whoami=whoami:read;POST /orders=orders:write`; raises ValueError."""
    entries: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        route, equals, scopes = entry.partition("=")
        if not equals:
            raise ValueError(f"`{entry}` is not of the form `GET /path=scope`")
        if (route := route.strip()) in entries:
            raise ValueError(f"`{route}` is there twice")
        entries[route] = scopes.strip()
    return entries


def _parse(route: str) -> tuple[str, Parts]:
    if route == CONNECT:
        return CONNECT, ()
    if len(route) > MAX_ROUTE:
        raise ValueError(f"is longer than {MAX_ROUTE} characters")
    if route.startswith("$"):
        raise ValueError(f"of the `$` routes, only `{CONNECT}` can be an entry")
    method, _, path = route.partition(" ")
    if method not in (*METHODS, ANY):
        raise ValueError(f"the method should be one of {', '.join((*METHODS, ANY))}")
    return method, paths.parse(path)


def _group_by_method(
    entry_by_route: Mapping[tuple[str, Parts], str], entries: Mapping[str, str]
) -> dict[str, tuple[Route, ...]]:
    """Each method's routes, most specific first; `ANY` is for methods its path does not name."""
    paths_by_rank = sorted(
        {parts for _, parts in entry_by_route}, key=lambda parts: (paths.rank(parts), parts)
    )
    routes = {}
    for method in METHODS:
        entries_and_parts = (
            (entry_by_route.get((method, parts), entry_by_route.get((ANY, parts))), parts)
            for parts in paths_by_rank
        )
        routes[method] = tuple(
            Route(entry, parts, frozenset(entries[entry].split()))
            for entry, parts in entries_and_parts
            if entry is not None
        )
    return routes
