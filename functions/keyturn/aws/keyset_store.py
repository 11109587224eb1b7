"""The keyset in SSM: generations that are appended and never overwritten (docs/decisions/0001).

SSM has no compare-and-swap; it does have create-if-absent. A change reads the generation that counts,
applies a pure transition and creates what follows under the first free name; whoever finds that taken
reads again. What counts is decided by keyset/lineage.py, for readers and writers alike.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from keyturn.aws.clock import Clock
from keyturn.aws.faults import AwsFault, Conflict, Unanswered, translated
from keyturn.aws.keyset_reader import AHEAD, KeysetMissing, KeysetReader
from keyturn.keyset import document, timing
from keyturn.keyset.errors import KeysetFault, UnlawfulChange
from keyturn.keyset.lineage import Lineage
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.succession import objection

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

Transition = Callable[[Keyset, datetime], Keyset]

_ATTEMPTS = 60
PLACEHOLDER = "restored above"  # stands under a name whose generation is gone


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
        """Write an empty keyset as generation `number`, unless there is a keyset already.

        A name that is taken by what does not count is passed over. Raises KeysetBusy, AwsFault.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self.read()
            except KeysetMissing:
                empty = self._sealed(None, number, origin, Keyset(), self._clock.now())
            try:
                self._put(number, empty.text)
            except Unanswered:  # perhaps our own reply was lost
                return self.read()
            except Conflict:
                if number in self.stored():
                    number += 1
                self._clock.sleep(self._clock.fraction())
            else:
                return empty
        raise KeysetBusy(f"no keyset was founded in {_ATTEMPTS} attempts")

    def update(self, transition: Transition, origin: Origin) -> Generation:
        """Apply `transition(keyset, now)` to the truth and append the result.

        Returns the generation that holds the change, also when it was there already. What the
        transition raises comes out unchanged. Raises UnlawfulChange, KeysetBusy, KeysetMissing, AwsFault.
        """
        lineage = self.lineage()
        for attempt in range(_ATTEMPTS):
            latest, now = lineage.head, self._clock.now()
            changed = transition(latest.keyset, now)
            if changed == latest.keyset:
                return latest
            if following := self._append(lineage, origin, changed, now):
                return following
            self._clock.sleep(self._clock.fraction() * min(0.05 * 2**attempt, 1.0))
            lineage = self.lineage()
        raise KeysetBusy(
            f"the keyset changed {_ATTEMPTS} times while {origin.reason} was attempted"
        )

    def put_back(self, number: int, text: str) -> None:
        """Create a parameter that was deleted as it was; raises Conflict if its name is taken."""
        try:
            self._put(number, text)
        except Unanswered:
            if self.stored().get(number) != text:
                raise

    def restore(self, number: int, keyset: Keyset, origin: Origin) -> Generation:
        """Have `keyset` count as generation `number`, above whatever was seen of those before it.

        Names below it that are free are taken by texts without a meaning, so that it follows what
        counts. Raises UnlawfulChange; Conflict if the keyset changed meanwhile; KeysetMissing, AwsFault.
        """
        parameters, lineage = self.listed()
        taken = {one.number for one in parameters}
        restored = self._sealed(lineage.head, number, origin, keyset, self._clock.now())
        for free in range(lineage.free, number):
            if free not in taken:
                self.put_back(free, PLACEHOLDER)
        self.put_back(number, restored.text)
        return restored

    def remove(self, names: Iterable[str]) -> None:
        """Delete these parameters, ten a call; the caller made sure that they are kept elsewhere."""
        names = list(names)
        for start in range(0, len(names), AHEAD):
            paths = [f"{self._path}/{name}" for name in names[start : start + AHEAD]]
            with translated("ssm:DeleteParameters"):
                self._writes.delete_parameters(Names=paths)

    def _append(
        self, lineage: Lineage, origin: Origin, keyset: Keyset, now: datetime
    ) -> Generation | None:
        """Create what follows the lineage; None if it did not come to count."""
        latest = lineage.head
        following = self._sealed(latest, lineage.free, origin, keyset, now)
        try:
            self._put(following.number, following.text)
            return following if self._counts(latest, following) else None
        except (Conflict, Unanswered):
            return None

    def _put(self, number: int, text: str) -> None:
        with translated("ssm:PutParameter"):
            self._writes.put_parameter(
                Name=self._name(number),
                Value=text,
                Type="String",
                Tier="Standard",
                Overwrite=False,
            )

    def _counts(self, parent: Generation, written: Generation) -> bool:
        """Whether what we wrote is read back as what follows its parent, and both as what counts.

        The parent can be there and count no more: something below it was deleted, and others went on there.
        """
        for _ in range(5):
            lineage = self._from(parent)
            if lineage is None or lineage.free > written.number:
                follows = lineage is not None and _holds(lineage, written)
                return follows and _holds(self.lineage(), written)
            self._clock.sleep(0.2)  # SSM promises no consistent reads
        raise AwsFault("ssm:GetParameters", "WrittenGenerationNotReadBack")

    @staticmethod
    def _sealed(
        parent: Generation | None, number: int, origin: Origin, keyset: Keyset, now: datetime
    ) -> Generation:
        """The generation as it is written; raises UnlawfulChange where no reader would follow."""
        generation = Generation(
            number,
            origin.op_id,
            origin.started_by,
            origin.reason,
            timing.whole_second(now),
            keyset,
            parent=document.digest(parent.text) if parent else "",
        )
        if parent and (why := objection(parent, generation)):
            raise UnlawfulChange(f"generation {number} cannot follow {parent.number}: {why}")
        return replace(generation, text=document.dumps(generation))


def _holds(lineage: Lineage, generation: Generation) -> bool:
    return generation.text in [one.text for one in lineage.chain]
