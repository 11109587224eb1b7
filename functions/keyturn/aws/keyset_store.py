"""The keyset in SSM: generations that are appended and never overwritten (docs/decisions/0001).

SSM has no compare-and-swap; it does have create-if-absent. A change reads the highest generation,
applies a pure transition and creates the next one; whoever finds it taken reads again.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from keyturn.aws.clock import Clock
from keyturn.aws.faults import AwsFault, Conflict, Unanswered, translated
from keyturn.aws.keyset_reader import AHEAD, KeysetMissing, KeysetReader
from keyturn.keyset import document, timing
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Keyset, Origin

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

Transition = Callable[[Keyset, datetime], Keyset]

_ATTEMPTS = 60


class KeysetBusy(KeysetFault):
    """Too many others wrote at the same time."""


class KeysetStore(KeysetReader):
    """Reads and appends generations below `/keyturn/<stack>/keyset/`."""

    def __init__(
        self, stack: str, clock: Clock, reads: "SSMClient", timed_writes: "SSMClient"
    ) -> None:
        super().__init__(stack, reads)
        self._clock = clock
        self._writes = timed_writes

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

    def update(self, transition: Transition, origin: Origin) -> Generation:
        """Apply `transition(keyset, now)` to the truth and append the result.

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

    def restore(self, number: int, keyset: Keyset, origin: Origin) -> Generation:
        """Append `keyset` as generation `number`, whatever stands below it.

        Only for a repair, which knows that `number` is above everything that was ever visible.
        Raises Conflict if the name is taken, AwsFault.
        """
        restored = _generation(number, origin, self._clock.now(), keyset)
        text = document.dumps(restored)
        try:
            self._create(number, text)
        except (Conflict, Unanswered):
            if self._texts(range(number, number + 1)).get(number) != text:
                raise
        return restored

    def delete(self, numbers: Iterable[int]) -> None:
        """Delete these generations (the caller made sure that they are old and kept elsewhere)."""
        names = [self._name(number) for number in numbers]
        for start in range(0, len(names), AHEAD):
            with translated("ssm:DeleteParameters"):
                self._writes.delete_parameters(Names=names[start : start + AHEAD])

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


def _generation(number: int, origin: Origin, now: datetime, keyset: Keyset) -> Generation:
    at = timing.whole_second(now)
    return Generation(number, origin.op_id, origin.started_by, origin.reason, at, keyset)
