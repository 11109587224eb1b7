"""The keyset in SSM: generations that are appended and never overwritten (docs/decisions/0001).

SSM has no compare-and-swap, but it has create-if-absent. A change reads the generation that counts,
applies a pure transition and creates the successor under the first free name. If the name has been
taken meanwhile, it reads again. keyset/lineage.py decides what counts, for readers and writers
alike.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from keyturn.aws.clock import Clock
from keyturn.aws.faults import AwsFault, Conflict, NoReply, translate_errors
from keyturn.aws.keyset.reader import LOOK_AHEAD, KeysetMissing, KeysetReader
from keyturn.keyset import document, timing
from keyturn.keyset.errors import KeysetFault, UnlawfulChange
from keyturn.keyset.lineage import Lineage
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.succession import find_violation

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

Transition = Callable[[Keyset, datetime], Keyset]

_ATTEMPTS = 60
PLACEHOLDER = "restored above"  # the text under a name whose generation is gone


class KeysetBusy(KeysetFault):
    """Too many writers wrote at the same time."""


class KeysetStore(KeysetReader):
    """Reads and appends generations below `/keyturn/<stack>/keyset/`."""

    def __init__(
        self, stack: str, clock: Clock, reads: "SSMClient", timed_writes: "SSMClient"
    ) -> None:
        super().__init__(stack, reads)
        self._clock = clock
        self._writes = timed_writes

    def create(self, number: int, origin: Origin) -> Generation:
        """Write an empty keyset as generation `number`, unless a keyset exists already.

        Skips names that are taken by parameters that do not count. Raises KeysetBusy, AwsFault.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self.read()
            except KeysetMissing:
                empty = self._build_generation(None, number, origin, Keyset(), self._clock.now())
            try:
                self._put(number, empty.text)
            except NoReply:  # the write may have succeeded, with the reply lost
                return self.read()
            except Conflict:
                if number in self.read_texts():
                    number += 1
                self._clock.sleep(self._clock.fraction())
            else:
                return empty
        raise KeysetBusy(f"the keyset could not be created in {_ATTEMPTS} attempts")

    def update(self, transition: Transition, origin: Origin) -> Generation:
        """Apply `transition(keyset, now)` to the truth and append the result.

        Returns the generation with the change, even if the change had been made already. Passes on
        what the transition raises. Raises UnlawfulChange, KeysetBusy, KeysetMissing, AwsFault.
        """
        lineage = self.read_lineage()
        for attempt in range(_ATTEMPTS):
            latest, now = lineage.head, self._clock.now()
            keyset = transition(latest.keyset, now)
            if keyset == latest.keyset:
                return latest
            if successor := self._append(lineage, origin, keyset, now):
                return successor
            self._clock.sleep(self._clock.fraction() * min(0.05 * 2**attempt, 1.0))
            lineage = self.read_lineage()
        raise KeysetBusy(
            f"the keyset changed {_ATTEMPTS} times while {origin.reason} was attempted"
        )

    def put_back(self, number: int, text: str) -> None:
        """Restore a deleted parameter unchanged; raises Conflict if its name is taken, AwsFault."""
        try:
            self._put(number, text)
        except NoReply:
            if self.read_texts().get(number) != text:
                raise

    def restore(self, number: int, keyset: Keyset, origin: Origin) -> Generation:
        """Append `keyset` as generation `number`, above any that readers may have seen.

        Fills the free names below with placeholders, so that it follows the head. Raises
        UnlawfulChange; Conflict if the keyset has changed meanwhile; KeysetMissing, AwsFault.
        """
        parameters, lineage = self.read_all()
        existing_numbers = {parameter.number for parameter in parameters}
        generation = self._build_generation(lineage.head, number, origin, keyset, self._clock.now())
        for below in range(lineage.next_number, number):
            if below not in existing_numbers:
                self.put_back(below, PLACEHOLDER)
        self.put_back(number, generation.text)
        return generation

    def remove(self, names: Iterable[str]) -> None:
        """Delete these parameters, ten per call; the caller has recorded them elsewhere."""
        names = list(names)
        for start in range(0, len(names), LOOK_AHEAD):
            paths = [f"{self._path}/{name}" for name in names[start : start + LOOK_AHEAD]]
            with translate_errors("ssm:DeleteParameters"):
                self._writes.delete_parameters(Names=paths)

    def _append(
        self, lineage: Lineage, origin: Origin, keyset: Keyset, now: datetime
    ) -> Generation | None:
        """Create the successor of the lineage's head; None if it does not count."""
        latest = lineage.head
        successor = self._build_generation(latest, lineage.next_number, origin, keyset, now)
        try:
            self._put(successor.number, successor.text)
            return successor if self._is_appended(latest, successor) else None
        except (Conflict, NoReply):
            return None

    def _put(self, number: int, text: str) -> None:
        with translate_errors("ssm:PutParameter"):
            self._writes.put_parameter(
                Name=self._name(number),
                Value=text,
                Type="String",
                Tier="Standard",
                Overwrite=False,
            )

    def _is_appended(self, parent: Generation, successor: Generation) -> bool:
        """Whether `successor` is read back as following `parent`, and both count.

        The parent can exist and no longer count: if a generation below it was deleted, other
        writers may have continued from there.
        """
        for _ in range(5):
            lineage = self._extend(parent)
            if lineage is None or lineage.next_number > successor.number:
                follows = lineage is not None and _holds(lineage, successor)
                return follows and _holds(self.read_lineage(), successor)
            self._clock.sleep(0.2)  # SSM promises no consistent reads
        raise AwsFault("ssm:GetParameters", "WrittenGenerationNotReadBack")

    @staticmethod
    def _build_generation(
        parent: Generation | None, number: int, origin: Origin, keyset: Keyset, now: datetime
    ) -> Generation:
        """The generation to write; raises UnlawfulChange if readers would reject it."""
        generation = Generation(
            number,
            origin.op_id,
            origin.started_by,
            origin.reason,
            timing.whole_second(now),
            keyset,
            parent=document.digest(parent.text) if parent else "",
        )
        if parent and (violation := find_violation(parent, generation)):
            raise UnlawfulChange(f"generation {number} cannot follow {parent.number}: {violation}")
        return replace(generation, text=document.dumps(generation))


def _holds(lineage: Lineage, generation: Generation) -> bool:
    return generation.text in [one.text for one in lineage.chain]
