"""One IAM policy for all routes of an API, for API Gateway to keep: as exact as the table, or refused.

In a policy `*` spans slashes, so `{name}` can only be written as `?*`, which allows too much. What it
allows too much is denied again: paths with more segments (its *surplus*), paths that a more specific
route owns and does not open, paths that are not safe to compare. A Deny is as coarse as an Allow,
and it wins. Where it would hit a route that is open for the same token, no policy can say what the
table says, and the table is refused.

Why the rest is exact, for one method and one token: let a safe path match an Allow without being open.
Either it is in that route's surplus: then it is denied, or the pattern of another open route (greedy, or
of one segment more) covers the whole surplus, and the argument goes on with that one. Or it matches the
route itself: then a more specific one owns it and is closed, and the path is denied as one of that one's.

Source: IAM User Guide, "IAM JSON policy elements: Resource"; API Gateway Developer Guide, "Output from
an API Gateway Lambda authorizer".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, Self

from keyturn.access import paths
from keyturn.access.paths import Parts
from keyturn.access.patterns import build_pattern, covers, find_surplus, intersects

# What paths.split calls unsafe, behind the stage: `<method>/<path>`.
UNSAFE = (
    *("*//*", "*/?*/"),
    *("*/.", "*/..", "*/./*", "*/../*"),
    *("*%2e*", "*%2E*", "*%2f*", "*%2F*", "*%5c*", "*%5C*", "*\\*"),
)
MAX_PREFIX = (
    200  # characters of `arn:<partition>:execute-api:<region>:<account>:<api>/<stage>/`, at most
)
MAX_POLICY = (
    16_384  # bytes; ours: API Gateway documents no limit for a REST API's, Lambda ends at 6 MB
)
_REMEDY = "do not cache the authorizer's answers, or cache them by path and method with a REQUEST authorizer"

Scopes = frozenset[str]


class Route(NamedTuple):
    """An entry of the table, for one method."""

    entry: str  # as it was written
    parts: Parts
    scopes: Scopes


class _Allow(NamedTuple):
    """An open route's patterns; its surplus need not be denied to a token that opens one of `covers`."""

    scopes: Scopes
    pattern: str
    surplus: tuple[str, ...]
    covers: tuple[Scopes, ...]


class _Deny(NamedTuple):
    """The pattern of a route that a token without its scopes reaches through a less specific one."""

    scopes: Scopes
    pattern: str
    through: tuple[Scopes, ...]


@dataclass(frozen=True, slots=True)
class SharedPolicy:
    """What to allow and what to deny, behind the stage, by the scopes of a token."""

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
        """What a token of these scopes is allowed, and what of it is denied."""
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
        """The bytes of the largest policy, in the stage with the longest name."""
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
        """Raise ValueError where a Deny would hit what the same token opens.

        It is enough to try the tokens that have the scopes of just the routes in question: with more
        scopes more is open, and less is denied.
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
        """The routes whose pattern has the whole surplus of this one."""
        return (other for other in self.routes if covers(other.parts, route.parts))

    def _reached_through(self, route: Route) -> Iterator[Route]:
        """The less specific routes whose pattern reaches paths of this one."""
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
