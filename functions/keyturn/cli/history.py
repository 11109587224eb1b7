"""`keyturn history`: every change of the keyset, and the keys at any time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice, zip_longest
from typing import Annotated, Any

import typer
from rich.text import Text

from keyturn.aws.keyset.history import HistoryObject
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.stack import Stack
from keyturn.cli.formatting import cutoff_members, duration, instant, iso
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError
from keyturn.keyset import document
from keyturn.keyset.changes import changes, new_cutoffs
from keyturn.keyset.cutoffs import CutOff
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
    generations = PastGenerations(deployment)
    if at is None:
        _say_changes(terminal, generations, limit)
    else:
        _say_keys(terminal, generations, _parse_instant(at), deployment)


class PastGenerations:
    """The generations, from SSM and, for those no longer in SSM, from the bucket.

    Each names its parent by the hash of its text. So the generations in SSM prove their ancestors,
    whatever else is in the bucket.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._chain = _chain(stack)
        self.unproved_before: int | None = None  # a generation whose parent is gone

    @cached_property
    def objects(self) -> list[HistoryObject]:
        """The objects in the bucket."""
        return self._stack.history.objects()

    @cached_property
    def _by_digest(self) -> Mapping[str, HistoryObject]:
        return {entry.digest: entry for entry in self.objects if entry.number is not None}

    def backwards(self) -> Iterator[Generation]:
        """The generations, the newest first."""
        yield from reversed(self._chain)
        generation = self._chain[0] if self._chain else None
        while generation := self._before(generation):
            yield generation

    def at(self, when: datetime) -> tuple[list[Generation], Generation | None]:
        """The generations read, and the one among them that counted at that time."""
        visited = []
        for generation in self.backwards():
            visited.append(generation)
            if generation.at <= when:
                return visited, generation
        return visited, None

    def older(self, visited: Sequence[Generation]) -> int:
        """How many older generations there are."""
        lowest = visited[-1].number if visited else 0
        numbers = {generation.number for generation in self._chain} | {
            entry.number for entry in self.objects
        }
        return sum(number < lowest for number in numbers if number is not None)

    def ignored(self, visited: Sequence[Generation]) -> list[str]:
        """The objects, down to the oldest of these generations, that hold none of them."""
        digests = {document.digest(generation.text) for generation in visited}
        lowest = visited[-1].number if visited else 0
        return [
            entry.name
            for entry in self.objects
            if entry.digest not in digests and (entry.number is None or entry.number >= lowest)
        ]

    def _before(self, child: Generation | None) -> Generation | None:
        """The parent or, if it is gone, the newest earlier generation that can be read."""
        parent = self._by_digest.get(child.parent) if child else None
        if parent and (generation := self._read(parent)):
            return generation
        older = [
            entry for entry in self.objects if child is None or (entry.number or 0) < child.number
        ]
        by_age = sorted(older, key=lambda entry: (-(entry.number or 0), entry.modified))
        generation = next(filter(None, map(self._read, by_age)), None)
        if child and generation and self.unproved_before is None:
            self.unproved_before = child.number
        return generation

    def _read(self, entry: HistoryObject) -> Generation | None:
        if entry.number is None:
            return None
        try:
            return self._stack.history.read(entry)
        except DocumentInvalid:
            return None


def _chain(stack: Stack) -> Sequence[Generation]:
    """The generations in SSM that count, the oldest first; none if the keyset is gone."""
    try:
        return stack.keysets.read_generations()
    except KeysetFault:
        return ()


def _say_changes(terminal: Terminal, generations: PastGenerations, limit: int) -> None:
    entries = []
    visited = list(islice(generations.backwards(), limit + 1))
    for generation, previous in zip_longest(visited[:limit], visited[1:]):
        before = previous.keyset if previous else Keyset()
        key_changes = changes(before, generation.keyset)
        cutoffs = new_cutoffs(before, generation.keyset)
        terminal.say(
            Text.assemble((f"#{generation.number}", "bold"), f"  {instant(generation.at)}")
        )
        for change in key_changes:
            terminal.say(f"    {change.kind:10} {change.kid}")
        for cutoff in cutoffs:
            terminal.say(f"    {_cutoff_sentence(cutoff)}")
        details = filter(None, (generation.reason, f"by {generation.started_by}", generation.op_id))
        terminal.say(Text("    " + " · ".join(details), style="dim"))
        entries.append(
            {
                "generation": generation.number,
                "at": iso(generation.at),
                "changes": [
                    *({"change": change.kind.value, "kid": change.kid} for change in key_changes),
                    *map(_cutoff, cutoffs),
                ],
                "reason": generation.reason,
                "started_by": generation.started_by,
                "op_id": generation.op_id,
            }
        )
    older = generations.older(visited[:limit])
    if older:
        terminal.say(f"{older} older; --limit {len(entries) + older} shows all.")
    terminal.result(
        {"changes": entries, "older": older, **_say_warnings(terminal, generations, visited)}
    )


def _say_keys(
    terminal: Terminal, generations: PastGenerations, when: datetime, deployment: Deployment
) -> None:
    if when > deployment.clock.now():
        raise UsageError(f"--at {iso(when)} is in the future")
    visited, generation = generations.at(when)
    if generation is None:
        first = iso(visited[-1].at) if visited else None
        raise CommandFailed(
            f"there was no generation at {iso(when)}", f"the first one is from {first}"
        )
    keys = [_key(key, when) for key in generation.keyset.all_keys]
    terminal.say(f"Keys at {instant(when)} (generation {generation.number}):")
    for key in keys:
        terminal.say(f"    {key['kid']}  {key['state']:8} {'valid' if key['valid'] else 'refused'}")
    for cutoff in generation.keyset.cutoffs:
        terminal.say(f"    {_cutoff_sentence(cutoff)}")
    bound = duration(deployment.revocation_bound)
    terminal.say(Text(f"An authorizer may have followed up to {bound} later.", style="dim"))
    warnings = _say_warnings(terminal, generations, visited)
    cutoffs = [_cutoff(cutoff) for cutoff in generation.keyset.cutoffs]
    terminal.result(
        {
            "at": iso(when),
            "generation": generation.number,
            "keys": keys,
            "cutoffs": cutoffs,
            **warnings,
        }
    )


def _say_warnings(
    terminal: Terminal, generations: PastGenerations, visited: Sequence[Generation]
) -> Mapping[str, Any]:
    ignored = generations.ignored(visited)
    for name in ignored:
        terminal.say(f"Not part of the history, ignored: {name}", "yellow")
    if generations.unproved_before:
        terminal.say(
            f"The parent of generation {generations.unproved_before} is gone: nothing proves what is older.",
            "yellow",
        )
    return {"ignored": ignored, "unproved_before": generations.unproved_before}


def _key(key: Any, when: datetime) -> Mapping[str, Any]:
    valid = isinstance(key, Key) and key.verifies(when)
    return {"kid": key.kid, "state": key.state.value, "valid": valid}


def _cutoff_sentence(cutoff: CutOff) -> str:
    kind = "blocked" if cutoff.is_block else "cut off"
    since = "" if cutoff.is_block else f", issued before {instant(cutoff.before)}"
    return f"{kind:10} {cutoff.claim} {cutoff.digest}{since}"


def _cutoff(cutoff: CutOff) -> Mapping[str, Any]:
    return {"change": "blocked" if cutoff.is_block else "cut_off", **cutoff_members(cutoff)}


def _parse_instant(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("--at is not a time", "write it like 2026-03-01T12:00:00Z") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
