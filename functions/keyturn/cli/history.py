"""`keyturn history`: every change of the keyset, and the keys at any time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice, zip_longest
from typing import Annotated, Any

import typer
from rich.text import Text

from keyturn.aws.deployment import Deployment
from keyturn.aws.history import HistoryObject
from keyturn.aws.stack import Stack
from keyturn.cli.formatting import cutoff_members, duration, instant, iso
from keyturn.cli.terminal import BadUsage, Failed, Terminal
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
    past = Past(deployment.as_stack)
    if at is None:
        _say_changes(terminal, past, limit)
    else:
        _say_keys(terminal, past, _parse_instant(at), deployment)


class Past:
    """The generations, from SSM and from the bucket where SSM has forgotten them.

    Each names its parent by the hash of its text. So what SSM holds proves what came before it, whatever
    else somebody put into the bucket.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._chain = _chain(stack)
        self.unproved_before: int | None = None  # a generation whose parent is gone

    @cached_property
    def objects(self) -> list[HistoryObject]:
        """What is in the bucket."""
        return self._stack.history.objects()

    @cached_property
    def _by_digest(self) -> Mapping[str, HistoryObject]:
        return {one.digest: one for one in self.objects if one.number is not None}

    def backwards(self) -> Iterator[Generation]:
        """The newest first."""
        yield from reversed(self._chain)
        generation = self._chain[0] if self._chain else None
        while generation := self._before(generation):
            yield generation

    def at(self, when: datetime) -> tuple[list[Generation], Generation | None]:
        """What was read, and of that the generation that was the truth then."""
        walked = []
        for generation in self.backwards():
            walked.append(generation)
            if generation.at <= when:
                return walked, generation
        return walked, None

    def older(self, walked: Sequence[Generation]) -> int:
        """How many generations there are before these."""
        lowest = walked[-1].number if walked else 0
        numbers = {one.number for one in self._chain} | {one.number for one in self.objects}
        return sum(number < lowest for number in numbers if number is not None)

    def ignored(self, walked: Sequence[Generation]) -> list[str]:
        """The objects, as far down as these, that are none of these."""
        digests = {document.digest(generation.text) for generation in walked}
        lowest = walked[-1].number if walked else 0
        return [
            one.name
            for one in self.objects
            if one.digest not in digests and (one.number is None or one.number >= lowest)
        ]

    def _before(self, child: Generation | None) -> Generation | None:
        """The parent; where that is gone, the newest that can be read of those before it."""
        parent = self._by_digest.get(child.parent) if child else None
        if parent and (generation := self._read(parent)):
            return generation
        older = [one for one in self.objects if child is None or (one.number or 0) < child.number]
        by_age = sorted(older, key=lambda one: (-(one.number or 0), one.modified))
        generation = next(filter(None, map(self._read, by_age)), None)
        if child and generation and self.unproved_before is None:
            self.unproved_before = child.number
        return generation

    def _read(self, kept: HistoryObject) -> Generation | None:
        if kept.number is None:
            return None
        try:
            return self._stack.history.read(kept)
        except DocumentInvalid:
            return None


def _chain(stack: Stack) -> Sequence[Generation]:
    """What counts in SSM, the oldest first; a keyset that is gone leaves the history."""
    try:
        return stack.keysets.generations()
    except KeysetFault:
        return ()


def _say_changes(terminal: Terminal, past: Past, limit: int) -> None:
    entries = []
    walked = list(islice(past.backwards(), limit + 1))
    for generation, previous in zip_longest(walked[:limit], walked[1:]):
        before = previous.keyset if previous else Keyset()
        of_keys, of_tokens = (
            changes(before, generation.keyset),
            new_cutoffs(before, generation.keyset),
        )
        terminal.say(
            Text.assemble((f"#{generation.number}", "bold"), f"  {instant(generation.at)}")
        )
        for change in of_keys:
            terminal.say(f"    {change.kind:10} {change.kid}")
        for cutoff in of_tokens:
            terminal.say(f"    {_cutoff_sentence(cutoff)}")
        why = filter(None, (generation.reason, f"by {generation.started_by}", generation.op_id))
        terminal.say(Text("    " + " · ".join(why), style="dim"))
        entries.append(
            {
                "generation": generation.number,
                "at": iso(generation.at),
                "changes": [
                    *({"change": one.kind.value, "kid": one.kid} for one in of_keys),
                    *map(_cutoff, of_tokens),
                ],
                "reason": generation.reason,
                "started_by": generation.started_by,
                "op_id": generation.op_id,
            }
        )
    older = past.older(walked[:limit])
    if older:
        terminal.say(f"{older} older; --limit {len(entries) + older} shows all.")
    terminal.result({"changes": entries, "older": older, **_say_doubts(terminal, past, walked)})


def _say_keys(terminal: Terminal, past: Past, when: datetime, deployment: Deployment) -> None:
    if when > deployment.clock.now():
        raise BadUsage(f"--at {iso(when)} is in the future")
    walked, generation = past.at(when)
    if generation is None:
        first = iso(walked[-1].at) if walked else None
        raise Failed(f"there was no generation at {iso(when)}", f"the first one is from {first}")
    keys = [_key(one, when) for one in generation.keyset.all_keys]
    terminal.say(f"Keys at {instant(when)} (generation {generation.number}):")
    for one in keys:
        terminal.say(f"    {one['kid']}  {one['state']:8} {'valid' if one['valid'] else 'refused'}")
    for cutoff in generation.keyset.cutoffs:
        terminal.say(f"    {_cutoff_sentence(cutoff)}")
    bound = duration(deployment.revocation_bound)
    terminal.say(Text(f"An authorizer may have followed up to {bound} later.", style="dim"))
    doubts = _say_doubts(terminal, past, walked)
    cutoffs = [_cutoff(one) for one in generation.keyset.cutoffs]
    terminal.result(
        {
            "at": iso(when),
            "generation": generation.number,
            "keys": keys,
            "cutoffs": cutoffs,
            **doubts,
        }
    )


def _say_doubts(terminal: Terminal, past: Past, walked: Sequence[Generation]) -> Mapping[str, Any]:
    ignored = past.ignored(walked)
    for name in ignored:
        terminal.say(f"Not part of the history, ignored: {name}", "yellow")
    if past.unproved_before:
        terminal.say(
            f"The parent of generation {past.unproved_before} is gone: nothing proves what is older.",
            "yellow",
        )
    return {"ignored": ignored, "unproved_before": past.unproved_before}


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
        raise BadUsage("--at is not a time", "write it like 2026-03-01T12:00:00Z") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
