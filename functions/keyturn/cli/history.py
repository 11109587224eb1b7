"""`keyturn history`: every change of the keyset, and the keys at any time."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property
from itertools import islice, zip_longest
from typing import Annotated, Any

import typer
from rich.text import Text

from keyturn.aws.deployment import Deployment
from keyturn.aws.stack import Stack
from keyturn.cli.formatting import duration, instant, iso
from keyturn.cli.terminal import BadUsage, Failed, Terminal
from keyturn.keyset import document
from keyturn.keyset.changes import Change, changes
from keyturn.keyset.errors import DocumentInvalid, KeysetFault
from keyturn.keyset.model import Generation, Key, Keyset

At = Annotated[
    str | None, typer.Option(help="Show the keys at this time (ISO 8601; UTC by default).")
]
Limit = Annotated[int, typer.Option(min=1, help="How many changes to show, the newest first.")]


def history(
    terminal: Terminal, deployment: Deployment, *, at: At = None, limit: Limit = 20
) -> None:
    """Every change of the keys: when, what, why, and who started it."""
    past = Past(deployment.as_stack)
    if at is None:
        _say_changes(terminal, past, limit)
    else:
        _say_keys(terminal, past, _parse_instant(at), deployment)


class Past:
    """The generations, from SSM and from the bucket where SSM has forgotten them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stored = _stored(stack)
        self._generation = cache(self._read)
        self.unreadable: set[int] = set()  # of those that were looked at

    @cached_property
    def numbers(self) -> list[int]:
        """All of them, the lowest first."""
        return sorted(self._stored.keys() | self._stack.history.numbers())

    @property
    def first(self) -> Generation | None:
        """The oldest that can be read."""
        return next(self._readable(self.numbers), None)

    def latest(self, limit: int) -> Iterator[tuple[Generation, tuple[Change, ...]]]:
        """The newest first, each with what it changed since the one before it that can be read."""
        generations = list(islice(self._readable(reversed(self.numbers)), limit + 1))
        for generation, previous in zip_longest(generations[:limit], generations[1:]):
            before = previous.keyset if previous else Keyset()
            yield generation, changes(before, generation.keyset)

    def at(self, when: datetime) -> Generation | None:
        """The generation that was the truth then."""

        def begin(index: int) -> datetime:
            generation = self._newest(self.numbers[: index + 1])
            return generation.at if generation else datetime.min.replace(tzinfo=UTC)

        return self._newest(self.numbers[: bisect_right(range(len(self.numbers)), when, key=begin)])

    def _newest(self, numbers: Sequence[int]) -> Generation | None:
        return next(self._readable(reversed(numbers)), None)

    def _readable(self, numbers: Iterable[int]) -> Iterator[Generation]:
        return filter(None, map(self._generation, numbers))

    def _read(self, number: int) -> Generation | None:
        try:
            text = self._stored.get(number) or self._stack.history.read(number)
            if text:
                return document.loads(text)
        except DocumentInvalid:
            pass
        self.unreadable.add(number)
        return None


def _stored(stack: Stack) -> Mapping[int, str]:
    """What counts in SSM, by number; a keyset that is gone leaves the history."""
    try:
        return {one.number: one.text for one in stack.keysets.generations()}
    except KeysetFault:
        return {}


def _say_changes(terminal: Terminal, past: Past, limit: int) -> None:
    entries = []
    for generation, generation_changes in past.latest(limit):
        terminal.say(
            Text.assemble((f"#{generation.number}", "bold"), f"  {instant(generation.at)}")
        )
        for change in generation_changes:
            terminal.say(f"    {change.kind:10} {change.kid}")
        why = filter(None, (generation.reason, f"by {generation.started_by}", generation.op_id))
        terminal.say(Text("    " + " · ".join(why), style="dim"))
        entries.append(
            {
                "generation": generation.number,
                "at": iso(generation.at),
                "changes": [
                    {"change": one.kind.value, "kid": one.kid} for one in generation_changes
                ],
                "reason": generation.reason,
                "started_by": generation.started_by,
                "op_id": generation.op_id,
            }
        )
    older = len(past.numbers) - len(entries) - len(past.unreadable)
    if older:
        terminal.say(f"{older} older; --limit {len(past.numbers)} shows all.")
    unreadable = _say_unreadable(terminal, past)
    terminal.result({"changes": entries, "older": older, "unreadable": unreadable})


def _say_keys(terminal: Terminal, past: Past, when: datetime, deployment: Deployment) -> None:
    if when > deployment.clock.now():
        raise BadUsage(f"--at {iso(when)} is in the future")
    generation = past.at(when)
    if generation is None:
        first = iso(past.first.at) if past.first else None
        raise Failed(f"there was no generation at {iso(when)}", f"the first one is from {first}")
    keys = [_key(one, when) for one in generation.keyset.known]
    terminal.say(f"Keys at {instant(when)} (generation {generation.number}):")
    for one in keys:
        terminal.say(f"    {one['kid']}  {one['state']:8} {'valid' if one['valid'] else 'refused'}")
    bound = duration(deployment.revocation_bound)
    terminal.say(Text(f"An authorizer may have followed up to {bound} later.", style="dim"))
    unreadable = _say_unreadable(terminal, past)
    terminal.result(
        {
            "at": iso(when),
            "generation": generation.number,
            "keys": keys,
            "unreadable": unreadable,
        }
    )


def _say_unreadable(terminal: Terminal, past: Past) -> list[int]:
    unreadable = sorted(past.unreadable)
    if unreadable:
        terminal.say(f"Cannot be read, and left out: {', '.join(map(str, unreadable))}.", "yellow")
    return unreadable


def _key(key: Any, when: datetime) -> Mapping[str, Any]:
    valid = isinstance(key, Key) and key.verifies(when)
    return {"kid": key.kid, "state": key.state.value, "valid": valid}


def _parse_instant(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage("--at is not a time", "write it like 2026-03-01T12:00:00Z") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
