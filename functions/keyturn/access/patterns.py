"""What IAM's wildcards make of the paths of a route.

`*` is any text and `?` any character, a slash among them (IAM User Guide, "IAM JSON policy elements:
Resource"). So the pattern of a route with `{name}` matches more than the route: its *surplus*.
"""

from collections.abc import Iterable, Iterator, Sequence

from keyturn.access.paths import GREEDY, SINGLE, Parts


def pattern_of(parts: Parts) -> str:
    """The pattern of a route: all of its paths, and its surplus."""
    return "/".join("?*" if part in (SINGLE, GREEDY) else part for part in parts)


def surplus_of(parts: Parts) -> list[Parts]:
    """What a route's pattern matches beyond the route: paths where a `{name}` has one more segment, or more.

    In front of a `{proxy+}` that makes no difference, unless a fixed segment is between them.
    """
    fixed = [place for place, part in enumerate(parts) if part not in (SINGLE, GREEDY)]
    end = max(fixed, default=0) if parts[-1:] == (GREEDY,) else len(parts)
    return [
        (*parts[:place], SINGLE, *parts[place:]) for place in range(end) if parts[place] == SINGLE
    ]


def covers(other: Parts, parts: Parts) -> bool:
    """Whether another route's pattern matches the whole surplus of a route.

    A path of the surplus has at least one segment more than the route. Behind the route's first `{name}`
    its segments are moved, and only a `{name}` of the other is sure to match them.
    """
    surplus = surplus_of(parts)
    if not surplus or other == parts:
        return False
    if other[-1:] != (GREEDY,):
        return all(
            len(other) == len(each)
            and all(part in (SINGLE, its) for part, its in zip(other, each, strict=True))
            for each in surplus
        )
    moved = parts.index(SINGLE)
    return len(other) <= len(parts) + 1 and all(
        part == SINGLE or (place < moved and part == parts[place])
        for place, part in enumerate(other[:-1])
    )


_OTHER = ""  # any character but a slash
_CHARACTER = "?"  # any character
_Token = tuple[str, bool]  # a character, and whether there may be any number of it


def hits(surplus: Iterable[Parts], parts: Parts) -> bool:
    """Whether the pattern of one of these matches a path of the route."""
    language = list(_language(parts))
    return any(_intersect(list(map(_token, pattern_of(each))), language) for each in surplus)


def _token(character: str) -> _Token:
    return (_CHARACTER, True) if character == "*" else (character, False)


def _language(parts: Parts) -> Iterator[_Token]:
    for place, part in enumerate(parts):
        if place:
            yield "/", False
        if part in (SINGLE, GREEDY):
            yield _OTHER, False
            yield (_OTHER if part == SINGLE else _CHARACTER), True
        else:
            yield from ((character, False) for character in part)


def _intersect(left: Sequence[_Token], right: Sequence[_Token]) -> bool:
    """Whether some text is in both languages: a walk through the product of the two automata."""
    pending, visited = [(0, 0)], set[tuple[int, int]]()
    while pending:
        i, j = place = pending.pop()
        if place in visited:
            continue
        visited.add(place)
        at_left, at_right = left[i : i + 1], right[j : j + 1]
        if not at_left and not at_right:
            return True
        if at_left and at_left[0][1]:
            pending.append((i + 1, j))
        if at_right and at_right[0][1]:
            pending.append((i, j + 1))
        if at_left and at_right and _common(at_left[0][0], at_right[0][0]):
            pending.append((i + (not at_left[0][1]), j + (not at_right[0][1])))
    return False


def _common(one: str, other: str) -> bool:
    if _CHARACTER in (one, other):
        return True
    if _OTHER in (one, other):
        return "/" not in (one, other)
    return one == other
