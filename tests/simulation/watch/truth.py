"""S8, S9 and S13: checked whenever a generation lands or a KMS key changes its state; keys.py has S4 to S7.

The arithmetic here is written anew, by true time, and shares nothing with keyset/timing.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from keyturn.aws.keyset.store import PLACEHOLDER
from keyturn.keyset import document
from keyturn.keyset.model import Generation, Keyset
from tests.cloud.kms import ENABLED
from tests.simulation.watch.broken import BY_A_BRANCH, EXCUSED, insist
from tests.simulation.watch.keys import Keys, kid_of

NEVER = -1e9
PLANTED = "planted"  # the op_id that inputs from outside bring


@dataclass
class Truth(Keys):
    """The chain of generations as SSM holds it, each with the instant it landed."""

    landed: list[tuple[float, Generation]] = field(default_factory=list)
    forged: set[str] = field(default_factory=set)  # texts that somebody put into the history
    planted: set[str] = field(default_factory=set)  # names that somebody else has taken
    on_landing: Callable[[Generation], None] = lambda _generation: None
    on_cutoffs: Callable[[Keyset, Generation], None] = lambda _before, _generation: None
    stored: Callable[[], Sequence[Generation]] = tuple  # what counts in SSM, by true time
    gone: float | None = None  # since when somebody's deletion hides what landed
    whole: float = NEVER  # since when nothing is hidden any more
    _names: set[str] = field(default_factory=set)
    lost_at: float = NEVER  # when every generation was deleted
    _lost: bool = False
    _since: int = 0

    @property
    def keyset(self) -> Keyset:
        """The truth now."""
        return self.head.keyset if self.landed else Keyset()

    @property
    def head(self) -> Generation:
        """The generation that landed last."""
        return self.landed[-1][1]

    @property
    def promised(self) -> list[Generation]:
        """Every generation since the keyset was last lost."""
        return [generation for _, generation in self.landed[self._since :]]

    def generation(self, number: int) -> Generation | None:
        """A generation by its number, also when it was deleted since."""
        return next((one for _, one in self.landed if one.number == number), None)

    def wrote(self, name: str, text: str) -> None:
        """A parameter was written."""
        if text == PLACEHOLDER:
            self.planted.add(name)
            return
        insist(text not in self.forged, "S13", "a forged generation is put back from the history")
        generation = document.loads(text)
        insist(generation.op_id != PLANTED, "S13", "an input from outside chose the op_id")
        top = self.head.number if self.landed else generation.number - 1
        if self.gone is not None:
            self._names.add(name)
            self._came_back()
            return
        if name in self._names:
            stray = generation.number <= top and self._was_deleted(name)
            put_back = self.generation(generation.number)
            insist(
                stray or (put_back is not None and put_back.text == text),
                "S9",
                f"generation {generation.number} was overwritten",
            )
            return
        self._names.add(name)
        path = name.rpartition("/")[0]
        between = {f"{path}/{number:012d}" for number in range(top + 1, generation.number)}
        follows = generation.number > top and between <= self.planted
        insist(follows, "S9", f"{generation.number} follows {top}")
        before = Keyset() if self._lost else self.keyset
        self._lost = False
        self.landed.append((self.now(), generation))
        self._check_keys(before, generation)
        self._check_rise(before, generation)
        self.on_cutoffs(before, generation)
        self.on_landing(generation)

    @property
    def was_lost(self) -> bool:
        """Whether the keyset was deleted for good."""
        return self._lost or self._since > 0

    def hidden_until(self, at: float) -> float:
        """Until when a reader could miss what had landed by then: infinity while it is hidden."""
        return math.inf if self.gone is not None and self.gone <= at else self.whole

    def deleted(self) -> None:
        """Parameters were deleted: new readers see the others, until these are restored."""
        stored = self.stored()
        if self.gone is None and (not stored or stored[-1].text != self.head.text):
            self.gone = self.now()

    def _came_back(self) -> None:
        """Something was written where it had been deleted: the same again, or a branch."""
        stored = self.stored()
        if not stored:
            return
        head, texts = stored[-1], {one.text for _, one in self.landed}
        if head.text not in texts:
            self._branch(stored)
        if stored[-1].text == self.head.text:
            self.gone, self.whole = None, self.now()

    def _branch(self, stored: Sequence[Generation]) -> None:
        """A writer was faster than the repair: what landed in its place is promised no more (0020).

        Only what was revoked there stays so: that is what the bound is about.
        """
        EXCUSED.update(BY_A_BRANCH)
        texts = {one.text for one in stored}
        kept = [(at, one) for at, one in self.landed if one.text in texts]
        new = [one for one in stored if one.text not in {one.text for _, one in kept}]
        self.landed[:] = [*kept, *((self.now(), one) for one in new)]
        self._since = min(self._since, len(kept))
        lost = {name for name in self._names if int(name[-12:]) > stored[-1].number}
        self._names -= lost
        self.planted |= lost  # those that stand are stepped over
        self.arns.clear()
        for _, generation in self.landed:
            for key in generation.keyset.all_keys:
                self.arns[key.kms_key_arn] = key.kid
                self.life(key.kid).state = key.state.value
        for one in new:
            self.on_cutoffs(Keyset(), one)
            self.on_landing(one)

    def lose(self) -> None:
        """Every generation was deleted: nothing is promised about those keys any more."""
        self._lost, self.gone, self.lost_at = True, None, self.now()
        self._since = len(self.landed)
        self.arns.clear()
        for life in self.lives.values():
            life.revoked = self.now()

    def changed(self, arn: str, state: str) -> None:
        """A KMS key entered a state."""
        if state == ENABLED:
            return
        insist(not self.kms.keys[arn].foreign, "S13", f"KMS {state} for a key of somebody else")
        live = [key for key in self.keyset.keys if key.kms_key_arn == arn]
        insist(not live, "S8", f"KMS {state} for a key that is {live and live[0].state}")
        if arn not in self.arns:
            age = self.now() - self.kms.keys[arn].created
            is_old = age > self.limits.orphan_age.total_seconds() - self.times.clock_skew
            born = self.kms.metadata(arn, self.now())["KeyMetadata"]["CreationDate"]
            horizon = self.keyset.horizon
            is_forgotten = horizon is not None and born <= horizon
            insist(
                is_old or is_forgotten, "S8", f"KMS {state} for an unregistered key of {age:.0f} s"
            )
            kid = kid_of(self.kms.keys[arn].der)
            insist(kid not in self.first_shown, "S8", f"KMS {state} for a key in the JWKS")

    def _was_deleted(self, name: str) -> bool:
        number = int(name.rpartition("/")[2])
        return number + 1 < self.head.number
