"""`keyturn history`: every change of the keyset, and the keys at any time."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Annotated, Any

import typer
from rich.text import Text

from keyturn.aws.deployment import Deployment
from keyturn.aws.stack import Stack
from keyturn.cli.formatting import duration, instant, iso
from keyturn.cli.terminal import BadUsage, Failed, Terminal
from keyturn.keyset.changes import Change, changes
from keyturn.keyset.errors import DocumentInvalid
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
        self._stored = stack.keysets.stored()
        self.generation = cache(self._generation)

    @cached_property
    def numbers(self) -> list[int]:
        """Those that can be read, the lowest first."""
        return sorted(self._stored.keys() | self._stack.history.numbers())

    def _generation(self, number: int) -> Generation:
        text = self._stored.get(number) or self._stack.history.read(number)
        if text is None:
            raise DocumentInvalid(f"generation {number} is gone from history/")
        return self._stack.keysets.parsed(number, text)

    def latest(self, limit: int) -> Iterator[tuple[Generation, tuple[Change, ...]]]:
        """The newest first, each with what it changed."""
        numbers = self.numbers[-limit:]
        earlier = [None, *self.numbers][-len(numbers) - 1 : -1]
        for number, previous in zip(reversed(numbers), reversed(earlier), strict=True):
            before = Keyset() if previous is None else self.generation(previous).keyset
            generation = self.generation(number)
            yield generation, changes(before, generation.keyset)

    def at(self, when: datetime) -> Generation | None:
        """The generation that was the truth then."""
        index = bisect_right(self.numbers, when, key=lambda number: self.generation(number).at)
        return self.generation(self.numbers[index - 1]) if index else None


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
    older = len(past.numbers) - len(entries)
    if older:
        terminal.say(f"{older} older; --limit {len(past.numbers)} shows all.")
    terminal.result({"changes": entries, "older": older})


def _say_keys(terminal: Terminal, past: Past, when: datetime, deployment: Deployment) -> None:
    if when > deployment.clock.now():
        raise BadUsage(f"--at {iso(when)} is in the future")
    generation = past.at(when)
    if generation is None:
        first = iso(past.generation(past.numbers[0]).at) if past.numbers else None
        raise Failed(f"there was no generation at {iso(when)}", f"the first one is from {first}")
    keys = [_key(one, when) for one in generation.keyset.known]
    terminal.say(f"Keys at {instant(when)} (generation {generation.number}):")
    for one in keys:
        terminal.say(f"    {one['kid']}  {one['state']:8} {'valid' if one['valid'] else 'refused'}")
    bound = duration(deployment.revocation_bound)
    terminal.say(Text(f"An authorizer may have followed up to {bound} later.", style="dim"))
    terminal.result({"at": iso(when), "generation": generation.number, "keys": keys})


def _key(key: Any, when: datetime) -> Mapping[str, Any]:
    valid = isinstance(key, Key) and key.verifies(when)
    return {"kid": key.kid, "state": key.state.value, "valid": valid}


def _parse_instant(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage("--at is not a time", "write it like 2026-03-01T12:00:00Z") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
