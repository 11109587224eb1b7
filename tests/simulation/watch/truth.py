"""S4 to S9: looked at whenever a generation lands or a KMS key changes its state.

The arithmetic here is written anew, by true time, and shares nothing with keyset/timing.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from keyturn.aws.keyset.store import PLACEHOLDER
from keyturn.keyset import document
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.timing import Limits, Times
from keyturn.tokens.jwk import PublicJwk
from tests.cloud.kms import ENABLED, Kms
from tests.simulation.watch.broken import BY_A_BRANCH, EXCUSED, insist

NEVER = -1e9
ROLLED_BACK = "rolled back"  # the reason that the runs' operators give
PLANTED = "planted"  # the op_id that inputs from outside bring
MAY_BECOME = {
    None: {"standby"},
    "standby": {"standby", "active", "revoked"},
    "active": {"active", "grace", "revoked"},
    "grace": {"grace", "active", "retired", "revoked"},
    "retired": {"retired"},
    "revoked": {"revoked"},
}


@lru_cache(maxsize=256)
def kid_of(der: bytes) -> str:
    """The thumbprint of a public key."""
    return PublicJwk.from_der(der).kid


@dataclass
class Life:
    """What is known of a key, in true seconds."""

    state: str = ""
    noted_published: float | None = None  # when the generation landed that says so
    activated: float | None = None
    alone: bool = False  # nobody else signed when it last rose
    revoked: float | None = None
    ended: datetime | None = None  # by the writer's clock
    dead_by: float = 0.0  # when the last token of it, with leeway, has expired everywhere


@dataclass
class Truth:
    """The chain of generations as SSM holds it, each with the instant it landed."""

    times: Times
    limits: Limits
    kms: Kms
    now: Callable[[], float]
    first_shown: dict[str, float] = field(default_factory=dict)  # kid: since when in the JWKS
    landed: list[tuple[float, Generation]] = field(default_factory=list)
    lives: dict[str, Life] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)  # of every key that ever was in it
    asked: set[str] = field(default_factory=set)  # kids that somebody wants revoked
    forged: set[str] = field(default_factory=set)  # texts that somebody put into the history
    planted: set[str] = field(default_factory=set)  # names that somebody else has taken
    on_landing: Callable[[Generation], None] = lambda _generation: None
    on_cutoffs: Callable[[Keyset, Generation], None] = lambda _before, _generation: None
    stored: Callable[[], Sequence[Generation]] = tuple  # what counts in SSM, by true time
    gone: float | None = None  # since when somebody's deletion hides what landed
    whole: float = NEVER  # since when nothing is hidden any more
    _names: set[str] = field(default_factory=set)
    lost_at: float = -1e9  # when every generation was deleted
    _lost: bool = False
    _since: int = 0

    @property
    def keyset(self) -> Keyset:
        """The truth as it stands."""
        return self.head.keyset if self.landed else Keyset()

    @property
    def head(self) -> Generation:
        """The generation that landed last."""
        return self.landed[-1][1]

    def life(self, kid: str) -> Life:
        """What is known of this key."""
        return self.lives.setdefault(kid, Life())

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
        """Whether somebody deleted the keyset for good."""
        return self._lost or self._since > 0

    def hidden_until(self, at: float) -> float:
        """Until when a reader could miss what had landed by then: infinity while it is hidden."""
        return math.inf if self.gone is not None and self.gone <= at else self.whole

    def deleted(self) -> None:
        """Somebody deleted parameters: new readers see what is left, until the rest is back."""
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
        """Somebody deleted every generation: nothing is promised of those keys any more."""
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

    def _check_keys(self, before: Keyset, generation: Generation) -> None:
        after = generation.keyset
        listed = len(after.all_keys)
        insist(listed <= self.limits.listed_keys, "L3", f"the keyset lists {listed} keys")
        states = [key.state.value for key in after.keys]
        for state in ("active", "standby"):
            insist(states.count(state) <= 1, "S4", f"two {state} keys")
        if after.active:
            kms_key = self.kms.keys[after.active.kms_key_arn]
            insist(kms_key.states[-1][1] == ENABLED, "S4", "the active key is not enabled in KMS")
            insist(kid_of(kms_key.der) == after.active.kid, "S4", "the active kid is another key's")
        for known in after.all_keys:
            foreign = self.kms.keys[known.kms_key_arn].foreign
            insist(not foreign, "S13", "a key of somebody else is registered")
            self._check_step(before, known, generation)
        for key in before.all_keys:
            if after.find(key.kid) is None:
                self._check_forgotten(key, generation)

    def _check_step(self, before: Keyset, key: Key | EndedKey, generation: Generation) -> None:
        life = self.life(key.kid)
        name = "S5" if life.state in ("retired", "revoked") else "S4"
        was, becomes = life.state or None, key.state.value
        insist(becomes in MAY_BECOME[was], name, f"a key that was {was} became {becomes}")
        self.arns[key.kms_key_arn] = key.kid
        old = before.find(key.kid)
        if isinstance(key, Key):
            if isinstance(old, Key):
                insist(old.lifetime == key.lifetime, "S7", "a key's lifetime changed")
            if key.published and life.noted_published is None:
                life.noted_published = self.now()
                shown = key.kid in self.first_shown
                insist(shown, "S6", "a key is published that no JWKS has shown")
        elif was != becomes:
            life.ended = key.ended
            if becomes == "revoked":
                insist(key.kid in self.asked, "S1", "a key is revoked that nobody named")
                life.revoked = self.now()
            elif isinstance(old, Key):
                until = old.verify_until
                insist(bool(until and generation.at > until), "S7", "retired before verify_until")
                insist(self.now() >= life.dead_by, "S7", "retired while a token of it is alive")
        life.state = becomes

    def _check_forgotten(self, key: Key | EndedKey, generation: Generation) -> None:
        if isinstance(key, Key):
            insist(False, "S9", f"a {key.state} key got lost")
            return
        is_old = generation.at - key.ended > self.limits.ended_age - timedelta(seconds=1)
        is_full = len(generation.keyset.all_keys) >= self.limits.listed_keys
        insist(is_old or is_full, "S5", "an ended key is forgotten early")

    def _check_rise(self, before: Keyset, generation: Generation) -> None:
        after = generation.keyset
        rising, old = after.active, before.active
        if rising is None or (old and old.kid == rising.kid):
            return
        life, now = self.life(rising.kid), self.now()
        faded = old and after.find(old.kid)
        life.activated, life.alone = now, not isinstance(faded, Key)
        from_standby = any(k.kid == rising.kid and k.state == "standby" for k in before.keys)
        asked = from_standby or generation.reason == ROLLED_BACK
        insist(asked, "S4", "a grace key signs again, and nobody rolled back")
        if not life.alone and from_standby:
            shown, noted = self.first_shown.get(rising.kid), life.noted_published
            insist(shown is not None and noted is not None, "S6", "activated unpublished")
            assert shown is not None and noted is not None
            insist(now > shown + self.times.propagation, "S6", "a JWKS cached for P lacks it")
            insist(now > noted + self.times.view_ttl, "S6", "a view of age C lacks it")
