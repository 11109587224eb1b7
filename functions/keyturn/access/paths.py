"""Paths of requests and routes, segment by segment, as API Gateway matches them.

A route's path is represented by its parts: a fixed text, SINGLE for `{name}` (exactly one segment),
or GREEDY for `{proxy+}` (one or more segments, and only as the last part).
"""

import re

SINGLE, GREEDY = "{}", "{+}"
Parts = tuple[str, ...]

_FIXED = re.compile(
    r"[A-Za-z0-9._~!$&'()+,;=:@-]+", re.ASCII
)  # RFC 3986 section 3.3, without % and *
_VARIABLE = re.compile(r"\{[A-Za-z0-9._-]+(\+?)\}", re.ASCII)
_DOTS = frozenset({".", ".."})
_UNSAFE = _DOTS | {""}
_ENCODED = re.compile(r"%2[ef]|%5c|\\", re.IGNORECASE)


def split(path: str) -> Parts | None:
    """The segments of a request's path, `()` for the root.

    None if other software might read it as a different path: if it has an empty segment (a trailing
    slash makes one), a segment `.` or `..`, an encoded dot, slash or backslash, or a backslash (RFC
    3986 sections 2.4 and 5.2.4).
    """
    first, *segments = path.split("/")
    if first or not segments or _ENCODED.search(path):
        return None
    if segments == [""]:
        return ()
    return tuple(segments) if _UNSAFE.isdisjoint(segments) else None


def parse(path: str) -> Parts:
    """The parts of a route's path; raises ValueError."""
    first, *texts = path.split("/")
    if first or not texts:
        raise ValueError("the path should begin with `/`")
    if texts == [""]:
        return ()
    parts = tuple(map(_parse_part, texts))
    if GREEDY in parts[:-1]:
        raise ValueError("only the last segment may be greedy")
    return parts


def _parse_part(text: str) -> str:
    if not text:
        raise ValueError("a segment is empty (a path has no trailing slash)")
    if variable := _VARIABLE.fullmatch(text):
        return GREEDY if variable[1] else SINGLE
    if text in _DOTS or not _FIXED.fullmatch(text):
        raise ValueError(f"the segment `{text}` is neither fixed nor of the form `{{name}}`")
    return text


def parse_chosen_route(path: str) -> Parts:
    """The parts of a route's path as reported by API Gateway, which has validated it."""
    if path == "/":
        return ()
    return tuple(
        text if text[:1] != "{" else GREEDY if text[-2:] == "+}" else SINGLE
        for text in path.split("/")[1:]
    )


def matches(parts: Parts, segments: Parts) -> bool:
    """Whether a request's segments match a route's parts."""
    if parts and parts[-1] == GREEDY:
        if len(segments) < len(parts):
            return False
        parts = parts[:-1]
    elif len(segments) != len(parts):
        return False
    return parts == segments or all(
        part in (segment, SINGLE) for part, segment in zip(parts, segments, strict=False)
    )


def rank(parts: Parts) -> tuple[int, ...]:
    """A sort key that puts the more specific route, which API Gateway prefers, first.

    Routes are compared segment by segment from the left: fixed, then `{name}`, then `{proxy+}`, as
    in a REST API's resource tree. Different routes that match the same path never have the same
    rank.
    """
    return tuple(
        (SINGLE, GREEDY).index(part) + 1 if part in (SINGLE, GREEDY) else 0 for part in parts
    )


def overlap(left: Parts, right: Parts) -> bool:
    """Whether there is a path that matches both."""
    for left_part, right_part in zip(left, right, strict=False):
        if GREEDY in (left_part, right_part):
            return True
        if SINGLE not in (left_part, right_part) and left_part != right_part:
            return False
    return len(left) == len(right)
