"""Routes as patterns with IAM's wildcards.

`*` matches any text and `?` any character, slashes included (IAM User Guide, "IAM JSON policy
elements: Resource"). So the pattern of a route with `{name}` matches more than the route does. What
it matches in addition is called its *surplus*.
"""

from collections.abc import Iterable, Iterator, Sequence

from keyturn.access.paths import GREEDY, SINGLE, Parts


def build_pattern(parts: Parts) -> str:
    """The pattern of a route, which matches all its paths and its surplus."""
    return "/".join("?*" if part in (SINGLE, GREEDY) else part for part in parts)


def find_surplus(parts: Parts) -> list[Parts]:
    """The surplus of a route's pattern: paths in which a `{name}` spans two or more segments.

    A `{name}` before a `{proxy+}` has a surplus only if there is a fixed segment between them.
    """
    fixed = [place for place, part in enumerate(parts) if part not in (SINGLE, GREEDY)]
    end = max(fixed, default=0) if parts[-1:] == (GREEDY,) else len(parts)
    return [
        (*parts[:place], SINGLE, *parts[place:]) for place in range(end) if parts[place] == SINGLE
    ]


def covers(other: Parts, parts: Parts) -> bool:
    """Whether another route's pattern matches a route's entire surplus.

    A path in the surplus has at least one segment more than the route. After the route's first
    `{name}` its segments are shifted, and only a `{name}` of the other route is sure to match them.
    """
    surplus = find_surplus(parts)
    if not surplus or other == parts:
        return False
    if other[-1:] != (GREEDY,):
        return all(
            len(other) == len(path)
            and all(part in (SINGLE, segment) for part, segment in zip(other, path, strict=True))
            for path in surplus
        )
    first_variable = parts.index(SINGLE)
    return len(other) <= len(parts) + 1 and all(
        part == SINGLE or (place < first_variable and part == parts[place])
        for place, part in enumerate(other[:-1])
    )


_OTHER = ""  # any character but a slash
_CHARACTER = "?"  # any character
_Token = tuple[str, bool]  # a character, and whether it may repeat any number of times


def intersects(surplus: Iterable[Parts], parts: Parts) -> bool:
    """Whether the pattern of one of the `surplus` paths matches a path of the route."""
    tokens = list(_list_tokens(parts))
    return any(_intersect(list(map(_parse_token, build_pattern(path))), tokens) for path in surplus)


def _parse_token(character: str) -> _Token:
    return (_CHARACTER, True) if character == "*" else (character, False)


def _list_tokens(parts: Parts) -> Iterator[_Token]:
    for place, part in enumerate(parts):
        if place:
            yield "/", False
        if part in (SINGLE, GREEDY):
            yield _OTHER, False
            yield (_OTHER if part == SINGLE else _CHARACTER), True
        else:
            yield from ((character, False) for character in part)


def _intersect(left: Sequence[_Token], right: Sequence[_Token]) -> bool:
    """Whether the two languages intersect: a search through the product of the automata."""
    pending, visited = [(0, 0)], set[tuple[int, int]]()
    while pending:
        i, j = place = pending.pop()
        if place in visited:
            continue
        visited.add(place)
        left_token, right_token = left[i : i + 1], right[j : j + 1]
        if not left_token and not right_token:
            return True
        if left_token and left_token[0][1]:
            pending.append((i + 1, j))
        if right_token and right_token[0][1]:
            pending.append((i, j + 1))
        if left_token and right_token and _share_character(left_token[0][0], right_token[0][0]):
            pending.append((i + (not left_token[0][1]), j + (not right_token[0][1])))
    return False


def _share_character(left: str, right: str) -> bool:
    if _CHARACTER in (left, right):
        return True
    if _OTHER in (left, right):
        return "/" not in (left, right)
    return left == right
