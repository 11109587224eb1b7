"""The meaning of a route table, written in the plainest way and without the product's code."""

import posixpath
import re
from collections.abc import Mapping

Table = Mapping[str, str]
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


def is_open(table: Table, scopes: set[str], request: str, chosen: str | None = None) -> bool:
    """Whether a token of these scopes may send `GET /orders/7`; `chosen` is API Gateway's route."""
    entry = responsible(table, request)
    if entry is None or not set(table[entry].split()) <= scopes:
        return False
    if chosen in (None, "$default"):
        return True
    assert chosen is not None
    method, path = request.split(" ", 1)
    chosen = chosen if " " in chosen else f"{method} {chosen}"
    if not _fits(chosen, method, path):
        return False
    same = [each for each in table if _anonymous(each) == _anonymous(f"{method} {_path(chosen)}")]
    same = same or [e for e in table if _anonymous(e) == _anonymous(f"ANY {_path(chosen)}")]
    return all(set(table[each].split()) <= scopes for each in same)


def responsible(table: Table, request: str) -> str | None:
    """The entry that decides about a request: the most specific one of those that fit."""
    method, path = request.split(" ", 1)
    if method not in METHODS or not is_safe(path):
        return None
    fitting = [entry for entry in table if " " in entry and _fits(entry, method, path)]
    return min(fitting, key=_specificity, default=None)


def is_safe(path: str) -> bool:
    """Whether every reader understands the same path."""
    plain = re.sub(
        "%2e", ".", re.sub("%2f|%5c|%5C|\\\\", "/", path.replace("%2F", "/")), flags=re.I
    )
    return plain == path and not path.startswith("//") and posixpath.normpath(path) == path


def _fits(entry: str, method: str, path: str) -> bool:
    name, template = entry.split(" ", 1)
    pattern = re.sub(r"\\\{[^{}/]*\\\+\\\}", "[^/].*", re.escape(template))
    pattern = re.sub(r"\\\{[^{}/]*\\\}", "[^/]+", pattern)
    return name in (method, "ANY") and re.fullmatch(pattern, path, re.DOTALL) is not None


def _specificity(entry: str) -> tuple[list[str], bool]:
    kinds = [
        "3 greedy" if part.endswith("+}") else "2 one" if part.startswith("{") else "1 fixed"
        for part in _path(entry).split("/")
    ]
    return kinds, entry.startswith("ANY ")


def _path(entry: str) -> str:
    return entry.split(" ", 1)[1]


def _anonymous(entry: str) -> str:
    return re.sub(r"\{[^{}+]*", "{", entry)
