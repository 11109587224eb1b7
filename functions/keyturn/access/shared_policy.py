"""One IAM policy for all routes of an API, which API Gateway can cache: exact, or refused.

In a policy `*` spans slashes, so `{name}` can only be written as `?*`, which allows too much. The
excess is denied again: paths with more segments (the *surplus*), paths of a more specific route
that is closed, and paths that are unsafe to compare. A Deny is as coarse as an Allow, and takes
precedence. If it would hit a route that is open to the same token, no policy can express the table,
and the table is refused.

Why the policy is exact otherwise, for one method and one token: suppose that a safe path matches an
Allow but is not open. If it is in that route's surplus, then it is denied, or the pattern of
another open route (greedy, or with one segment more) covers the entire surplus, and the argument
repeats with that route. If it matches the route itself, then a more specific route matches it too
and is closed, and the path is denied by that route's Deny.

Source: IAM User Guide, "IAM JSON policy elements: Resource"; API Gateway Developer Guide, "Output
from an API Gateway Lambda authorizer".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, Self

from keyturn.access import paths
from keyturn.access.paths import Parts
from keyturn.access.patterns import build_pattern, covers, find_surplus, intersects

# What paths.split considers unsafe, after the stage: `<method>/<path>`.
UNSAFE = (
    *("*//*", "*/?*/"),
    *("*/.", "*/..", "*/./*", "*/../*"),
    *("*%2e*", "*%2E*", "*%2f*", "*%2F*", "*%5c*", "*%5C*", "*\\*"),
)
MAX_PREFIX = (
    200  # characters of `arn:<partition>:execute-api:<region>:<account>:<api>/<stage>/`, at most
)
MAX_POLICY = 16_384  # bytes; our limit: API Gateway documents none for REST APIs, Lambda's is 6 MB
_REMEDY = "do not cache the authorizer's answers, or cache them by path and method with a REQUEST authorizer"

Scopes = frozenset[str]


class Route(NamedTuple):
    """An entry of the table, for one method."""

    entry: str  # as written
    parts: Parts
    scopes: Scopes


class _Allow(NamedTuple):
    """A route's patterns; its surplus is not denied to a token that opens one of `covers`."""

    scopes: Scopes
    pattern: str
    surplus: tuple[str, ...]
    covers: tuple[Scopes, ...]


class _Deny(NamedTuple):
    """The pattern of a route that less specific routes would open to a token without its scopes."""

    scopes: Scopes
    pattern: str
    through: tuple[Scopes, ...]


@dataclass(frozen=True, slots=True)
class SharedPolicy:
    """What to allow and deny, after the stage, by a token's scopes."""

    _allows: tuple[_Allow, ...]
    _denies: tuple[_Deny, ...]

    @classmethod
    def build(cls, routes: Mapping[str, Sequence[Route]]) -> Self:
        """The policy for each method's routes, the most specific first; raises ValueError."""
        methods = [_Method(name, tuple(method_routes)) for name, method_routes in routes.items()]
        policy = cls(
            tuple(allow for method in methods for allow in method.allows()),
            tuple(deny for method in methods for deny in method.denies()),
        )
        if (size := policy.size()) > MAX_POLICY:
            raise ValueError(
                f"a cached policy for these routes can have {size:,} bytes, "
                f"the limit is {MAX_POLICY:,}: {_REMEDY}"
            )
        for method in methods:
            method.check_exactness()
        return policy

    def patterns(self, scopes: Scopes) -> tuple[list[str], list[str]]:
        """What a token with these scopes is allowed, and the exceptions that are denied."""
        open_rules = [allow for allow in self._allows if allow.scopes <= scopes]
        allowed = [allow.pattern for allow in open_rules]
        denied = [
            pattern
            for allow in open_rules
            if not any(cover <= scopes for cover in allow.covers)
            for pattern in allow.surplus
        ]
        denied += [
            deny.pattern
            for deny in self._denies
            if not deny.scopes <= scopes and any(through <= scopes for through in deny.through)
        ]
        if any("*" in pattern for pattern in allowed):
            denied += UNSAFE
        return allowed, denied

    def size(self) -> int:
        """The size in bytes of the largest policy, with the longest stage name."""
        patterns = [*UNSAFE, *(deny.pattern for deny in self._denies)]
        for allow in self._allows:
            patterns += (allow.pattern, *allow.surplus)
        return sum(MAX_PREFIX + len(pattern) + len('"", ') for pattern in patterns) + 256


class _Method(NamedTuple):
    """The table for one method, the most specific path first."""

    name: str
    routes: tuple[Route, ...]

    def allows(self) -> Iterator[_Allow]:
        for route in self.routes:
            yield _Allow(
                route.scopes,
                f"{self.name}/{build_pattern(route.parts)}",
                tuple(f"{self.name}/{build_pattern(parts)}" for parts in find_surplus(route.parts)),
                tuple(other.scopes for other in self._covering_routes(route)),
            )

    def denies(self) -> Iterator[_Deny]:
        for route in self.routes:
            if through := tuple(other.scopes for other in self._reached_through(route)):
                yield _Deny(route.scopes, f"{self.name}/{build_pattern(route.parts)}", through)

    def check_exactness(self) -> None:
        """Raise ValueError if a Deny would hit a route that is open to the same token.

        It is enough to check tokens that have only the scopes of the routes in question: additional
        scopes open more and deny less.
        """
        for route, target in product(self.routes, self.routes):
            in_surplus = intersects(find_surplus(route.parts), target.parts)
            if in_surplus and self._denies_surplus(route, route.scopes | target.scopes):
                raise _inexact(route, target)
            is_more_specific = paths.rank(target.parts) < paths.rank(route.parts)
            if in_surplus or (is_more_specific and paths.overlap(target.parts, route.parts)):
                for other in self._reached_through(route):
                    if not route.scopes <= other.scopes | target.scopes:
                        raise _inexact(route, target)

    def _denies_surplus(self, route: Route, scopes: Scopes) -> bool:
        return not any(other.scopes <= scopes for other in self._covering_routes(route))

    def _covering_routes(self, route: Route) -> Iterator[Route]:
        """The routes whose pattern covers this route's entire surplus."""
        return (other for other in self.routes if covers(other.parts, route.parts))

    def _reached_through(self, route: Route) -> Iterator[Route]:
        """The less specific routes whose pattern matches paths of this route."""
        return (
            other
            for other in self.routes
            if paths.rank(other.parts) > paths.rank(route.parts)
            and paths.overlap(other.parts, route.parts)
        )


def _inexact(route: Route, target: Route) -> ValueError:
    entries = " and ".join(f"`{entry}`" for entry in dict.fromkeys((route.entry, target.entry)))
    return ValueError(
        f"{entries}: a cached policy cannot tell their paths apart, because `*` spans slashes in IAM: {_REMEDY}"
    )
