"""Paths of requests and of routes, segment by segment, as API Gateway compares them.

A route's path is kept as its parts: a fixed text, SINGLE for `{name}` (exactly one segment), and
GREEDY for `{proxy+}` (one segment or more, the last part only).
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

    None if a reader might take it for another path: an empty segment (a trailing slash makes one), a
    segment `.` or `..`, an encoded dot or slash, a backslash (RFC 3986 sections 2.4 and 5.2.4).
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
    """The parts of a path that API Gateway calls one of its routes: nothing is left to check."""
    if path == "/":
        return ()
    return tuple(
        text if text[:1] != "{" else GREEDY if text[-2:] == "+}" else SINGLE
        for text in path.split("/")[1:]
    )


def matches(parts: Parts, segments: Parts) -> bool:
    """Whether a request's segments are among those that a route's parts stand for."""
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
    """Sorts the more specific first: of two routes that match one path, API Gateway chooses it.

    Segment by segment from the left, fixed before `{name}` before `{proxy+}`: a REST API's tree of
    resources. Different routes for one path never have the same rank.
    """
    return tuple(
        (SINGLE, GREEDY).index(part) + 1 if part in (SINGLE, GREEDY) else 0 for part in parts
    )


def overlap(left: Parts, right: Parts) -> bool:
    """Whether some path matches both."""
    for left_part, right_part in zip(left, right, strict=False):
        if GREEDY in (left_part, right_part):
            return True
        if SINGLE not in (left_part, right_part) and left_part != right_part:
            return False
    return len(left) == len(right)
