"""The keyset in SSM: generations that are appended and never overwritten (docs/decisions/0001).

SSM has no compare-and-swap; it does have create-if-absent. A change reads the highest generation,
applies a pure transition and creates the next one; whoever finds it taken reads again.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from keyturn.aws.clock import Clock
from keyturn.aws.faults import AwsFault, Conflict, Unanswered, translated
from keyturn.keyset import document, timing
from keyturn.keyset.errors import DocumentInvalid, KeysetFault
from keyturn.keyset.model import Generation, Keyset, Origin

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

Transition = Callable[[Keyset, datetime], Keyset]

_AHEAD = 10  # names that one GetParameters takes
_ATTEMPTS = 60


class KeysetMissing(KeysetFault):
    """There is no generation at all: nothing may be concluded, and nothing is created."""


class KeysetBusy(KeysetFault):
    """Too many others wrote at the same time."""


class KeysetStore:
    """Reads and appends generations below `/keyturn/<stack>/keyset/`."""

    def __init__(
        self, stack: str, clock: Clock, reads: "SSMClient", timed_writes: "SSMClient"
    ) -> None:
        self._path = f"/keyturn/{stack}/keyset"
        self._clock = clock
        self._reads = reads
        self._writes = timed_writes

    def read(self) -> Generation:
        """The highest generation; raises KeysetMissing, DocumentInvalid, AwsFault."""
        stored = self.stored()
        if not stored:
            raise KeysetMissing(f"no keyset below {self._path}")
        number = max(stored)
        return self.parsed(number, stored[number])

    def newer(self, held: Generation) -> Generation:
        """The highest generation that can be seen from `held`: one call if nothing changed.

        It is lower than `held` only when SSM answered from the past.
        """
        latest = held
        while True:
            numbers = range(latest.number, latest.number + _AHEAD)
            found = self._texts(numbers)
            if latest.number not in found:  # pruned: we were asleep for long
                return self.read()
            top = max(found)
            if top > latest.number:
                latest = self.parsed(top, found[top])
            if top < numbers[-1]:
                return latest

    def stored(self) -> dict[int, str]:
        """Every stored generation's text by its number."""
        with translated("ssm:GetParametersByPath"):
            pages = self._reads.get_paginator("get_parameters_by_path").paginate(Path=self._path)
            found = {
                parameter["Name"].rsplit("/", 1)[1]: parameter["Value"]
                for page in pages
                for parameter in page["Parameters"]
            }
        return {int(name): text for name, text in found.items() if name.isdecimal()}

    def generations(self) -> list[Generation]:
        """Every stored generation, the lowest first; raises DocumentInvalid, AwsFault."""
        return [self.parsed(number, text) for number, text in sorted(self.stored().items())]

    def found(self, number: int, origin: Origin) -> Generation:
        """Write an empty keyset as generation `number`, unless there is a keyset already."""
        try:
            return self.read()
        except KeysetMissing:
            empty = _generation(number, origin, self._clock.now(), Keyset())
            try:
                self._create(number, document.dumps(empty))
            except (Conflict, Unanswered):  # somebody was faster, or our own reply was lost
                return self.read()
            return empty

    def update(
        self, transition: Transition, origin: Origin, *, make_room: bool = False
    ) -> Generation:
        """Apply `transition(keyset, now)` to the truth and append the result.

        With `make_room` what is only remembered gives way if the document would grow too large.

        Returns the generation that holds the change, also when it was there already. What the
        transition raises comes out unchanged. Raises KeysetBusy, KeysetMissing, AwsFault.
        """
        latest = self.read()
        for attempt in range(_ATTEMPTS):
            now = self._clock.now()
            changed = transition(latest.keyset, now)
            if changed == latest.keyset:
                return latest
            following = _generation(latest.number + 1, origin, now, changed)
            if make_room:
                following = document.with_room(following)
            text = document.dumps(following)
            try:
                self._create(following.number, text)
                if self._counts(following.number, text):
                    return following
            except (Conflict, Unanswered):
                pass
            self._clock.sleep(self._clock.fraction() * min(0.05 * 2**attempt, 1.0))
            latest = self.newer(latest)
        raise KeysetBusy(
            f"the keyset changed {_ATTEMPTS} times while {origin.reason} was attempted"
        )

    def delete(self, numbers: Iterable[int]) -> None:
        """Delete these generations (the caller made sure that they are old and kept elsewhere)."""
        names = [self._name(number) for number in numbers]
        for start in range(0, len(names), _AHEAD):
            with translated("ssm:DeleteParameters"):
                self._writes.delete_parameters(Names=names[start : start + _AHEAD])

    def _create(self, number: int, text: str) -> None:
        with translated("ssm:PutParameter"):
            self._writes.put_parameter(
                Name=self._name(number),
                Value=text,
                Type="String",
                Tier="Standard",
                Overwrite=False,
            )

    def _counts(self, number: int, text: str) -> bool:
        """Whether what we wrote follows a generation that is still there and reads back as ours."""
        for _ in range(5):
            found = self._texts(range(number - 1, number + 1))
            if number in found:
                return number - 1 in found and found[number] == text
            self._clock.sleep(0.2)  # SSM promises no consistent reads
        raise AwsFault("ssm:GetParameters", "WrittenGenerationNotReadBack")

    def _texts(self, numbers: range) -> dict[int, str]:
        with translated("ssm:GetParameters"):
            answer = self._reads.get_parameters(Names=[self._name(number) for number in numbers])
        return {int(p["Name"].rsplit("/", 1)[1]): p["Value"] for p in answer["Parameters"]}

    def parsed(self, number: int, text: str) -> Generation:
        """A stored text as its generation; raises DocumentInvalid with the parameter's name."""
        try:
            generation = document.loads(text)
        except DocumentInvalid as error:
            raise DocumentInvalid(f"{self._name(number)}: {error}") from None
        if generation.number != number:
            raise DocumentInvalid(f"{self._name(number)}: holds generation {generation.number}")
        return generation

    def _name(self, number: int) -> str:
        return f"{self._path}/{number:012d}"


def _generation(number: int, origin: Origin, now: datetime, keyset: Keyset) -> Generation:
    at = timing.whole_second(now)
    return Generation(number, origin.op_id, origin.started_by, origin.reason, at, keyset)
