"""Every keyset the exploration meets, numbered; and what the product says of it, remembered.

The product's functions are pure and only add and compare instants. So a keyset is kept with its
instants counted from now, and what the product answered once holds wherever that keyset occurs: a
state needs the number only. Instants that no rule can tell from others are made equal here (all that
is past its last use; `created` and `superseded`, which no rule reads), which keeps the states finite.

One atlas belongs to one exploration: a mutant starts with an empty one.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from tests.model.constants import KIDS, NOW, Constants, instant, seconds


class Facts(NamedTuple):
    """The facts of a keyset that the environment reads most often; sets of kids are bit masks."""

    live: int
    known: int
    revoked: int
    retired: int
    active: str | None
    standby: str | None
    grace: tuple[str, ...]
    lifetime: int  # of the active key


def bit(kid: str) -> int:
    """The mask that holds this kid alone."""
    return 1 << KIDS.index(kid)


def kids_of(mask: int) -> str:
    """The kids of a mask, in order."""
    return "".join(kid for kid in KIDS if bit(kid) & mask)


class Atlas:
    """Numbers for keysets, and the product's remembered answers."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.keysets: list[Keyset] = []
        self.facts: list[Facts] = []
        self._numbers: dict[Keyset, int] = {}
        self._older: dict[int, int] = {}
        self._shown: dict[int, int] = {}
        self._accepts: dict[tuple[int, str, int], bool] = {}

    def number(self, keyset: Keyset) -> int:
        """The number of this keyset, which differs from that of another only if a rule can tell."""
        plain = Keyset(
            tuple(map(self._plain, keyset.keys)),
            self._ended(keyset),
            self._horizon(keyset),
            tuple(map(self._cutoff, keyset.cutoffs)),
        )
        if plain not in self._numbers:
            self._numbers[plain] = len(self.keysets)
            self.keysets.append(plain)
            self.facts.append(_facts(plain))
        return self._numbers[plain]

    def older(self, number: int) -> int:
        """The same keyset, one second later."""
        if number not in self._older:
            self._older[number] = self.number(_moved(self.keysets[number], lambda at: at - 1))
        return self._older[number]

    def shown(self, number: int) -> int:
        """The same keyset as its readers see it: that a key was published, not when."""
        if number not in self._shown:
            known = _published(self.keysets[number])
            self._shown[number] = self.number(known)
        return self._shown[number]

    def accepts(self, number: int, kid: str, clock: int) -> bool:
        """Whether an authorizer with this keyset accepts tokens of `kid` by its clock."""
        question = number, kid, clock
        if question not in self._accepts:
            key = self.keysets[number].find(kid)
            self._accepts[question] = isinstance(key, Key) and key.verifies(instant(clock))
        return self._accepts[question]

    def announces(self, number: int, kid: str) -> bool:
        """Whether this keyset announces `kid`: it lists the key, and not as an unpublished standby."""
        key = self.keysets[number].find(kid)
        is_secret = isinstance(key, Key) and key.state is State.STANDBY and key.published is None
        return key is not None and not is_secret

    def _plain(self, key: Key) -> Key:
        c, active = self.constants, key.state is State.ACTIVE
        published = key.published
        if published and key.state is not State.STANDBY:
            published = instant(
                -c.waits
            )  # no rule reads it any more; a broken one shall not wait for it
        return replace(
            key,
            created=self._remembered(key.created),
            published=published and max(published, instant(-c.waits)),
            activated=_clamped(key.activated, c.R + c.omega if active and c.by_age else None),
            superseded=_clamped(key.superseded, None),
            verify_until=_clamped(key.verify_until, c.epsilon + c.omega + 1),
        )

    def _ended(self, keyset: Keyset) -> tuple[EndedKey, ...]:
        plain = [
            replace(key, created=self._remembered(key.created), ended=self._remembered(key.ended))
            for key in keyset.ended
        ]
        return tuple(sorted(plain, key=lambda key: key.kid))

    def _cutoff(self, cutoff: CutOff) -> CutOff:
        """Its instants, as far as they can make a difference still."""
        until = cutoff.until and max(cutoff.until, instant(-self.constants.cut_memory))
        return replace(
            cutoff, before=max(cutoff.before, instant(-2 * self.constants.cut_memory)), until=until
        )

    def _horizon(self, keyset: Keyset) -> datetime | None:
        """None where it is so old that it stands in the way of no registration any more."""
        c = self.constants
        if keyset.horizon is None or not c.remembers_ends:
            return None
        return keyset.horizon if keyset.horizon > instant(-c.memory) else None

    def _remembered(self, at: datetime) -> datetime:
        c = self.constants
        return _clamped(at, c.memory if c.remembers_ends else None) or NOW


def _clamped(at: datetime | None, horizon: int | None) -> datetime | None:
    """`at`, but not more than `horizon` ago; None for the horizon: when it was makes no difference."""
    if at is None:
        return None
    return NOW if horizon is None else max(at, instant(-horizon))


def _moved(keyset: Keyset, move: Callable[[int], int]) -> Keyset:
    def at(when: datetime) -> datetime:
        return instant(move(seconds(when)))

    keys = (
        replace(
            key,
            created=at(key.created),
            published=key.published and at(key.published),
            activated=key.activated and at(key.activated),
            verify_until=key.verify_until and at(key.verify_until),
        )
        for key in keyset.keys
    )
    return Keyset(
        tuple(keys),
        tuple(replace(key, created=at(key.created), ended=at(key.ended)) for key in keyset.ended),
        keyset.horizon and at(keyset.horizon),
        tuple(
            replace(one, before=at(one.before), until=one.until and at(one.until))
            for one in keyset.cutoffs
        ),
    )


def _published(keyset: Keyset) -> Keyset:
    keys = (
        replace(
            key,
            published=key.published and instant(-1000),
            activated=key.activated and instant(-1000),
        )
        for key in keyset.keys
    )
    return replace(keyset, keys=tuple(keys))


def _facts(keyset: Keyset) -> Facts:
    def mask(state: State | None) -> int:
        return sum(bit(key.kid) for key in keyset.all_keys if state in (None, key.state))

    active, standby = keyset.active, keyset.standby
    return Facts(
        live=sum(bit(key.kid) for key in keyset.keys),
        known=mask(None),
        revoked=mask(State.REVOKED),
        retired=mask(State.RETIRED),
        active=active.kid if active else None,
        standby=standby.kid if standby else None,
        grace=tuple(key.kid for key in keyset.grace),
        lifetime=active.lifetime if active else 0,
    )
