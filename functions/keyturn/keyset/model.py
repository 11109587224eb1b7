"""Keys, keysets and generations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from keyturn.keyset import cutoffs
from keyturn.keyset.cutoffs import Claim, CutOff, Index
from keyturn.keyset.errors import InvariantBroken, UnknownKid
from keyturn.keyset.states import ENDED, State

MAX_BYTES = 4096  # of a stored keyset: the limit of a Standard SSM parameter
MAX_LIVE_KEYS = 10  # a load balancer that verifies JWTs ignores a JWKS with more (ELB User Guide)


@dataclass(frozen=True, slots=True)
class Key:
    """A live key: standby, active or grace.

    `kid` is the RFC 7638 thumbprint of the public key. `lifetime` is the longest lifetime of its
    tokens in seconds, set at registration. All instants are aware and in whole seconds.
    """

    kid: str
    kms_key_arn: str
    state: State
    lifetime: int
    created: datetime
    published: datetime | None = None
    activated: datetime | None = None
    superseded: datetime | None = None
    verify_until: datetime | None = None

    def verifies(self, now: datetime) -> bool:
        """Whether tokens of this key are accepted at `now` (by the reader's own clock)."""
        match self.state:
            case State.ACTIVE:
                return True
            case State.STANDBY:
                return self.published is not None
            case State.GRACE:
                return self.verify_until is not None and now <= self.verify_until
            case _:
                return False


@dataclass(frozen=True, slots=True)
class EndedKey:
    """A retired or revoked key, listed for a while after `ended`; `created` is KMS's date."""

    kid: str
    kms_key_arn: str
    state: State
    created: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Keyset:
    """The live keys, the recently ended ones, and the cut-offs.

    `horizon` covers every ended key that is no longer listed: a KMS key created at or before it is
    never registered, so a forgotten key cannot come back.

    Raises InvariantBroken for more than one active or standby key, more live keys than a JWKS may
    hold, a duplicate kid, a live key among the ended or an ended one among the live, a grace key
    without `verify_until`, and two cut-offs of the same value.
    """

    keys: tuple[Key, ...] = ()
    ended: tuple[EndedKey, ...] = ()
    horizon: datetime | None = None
    cutoffs: tuple[CutOff, ...] = ()
    _cutoffs: Index = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cutoffs", cutoffs.index_by_claim(self.cutoffs))
        for state in (State.ACTIVE, State.STANDBY):
            if sum(key.state is state for key in self.keys) > 1:
                raise InvariantBroken(f"a keyset has at most one {state} key")
        if len(self.keys) > MAX_LIVE_KEYS:
            raise InvariantBroken(f"a keyset has at most {MAX_LIVE_KEYS} live keys")
        kids = [key.kid for key in self.all_keys]
        if len(kids) != len(set(kids)):
            raise InvariantBroken("a kid occurs at most once in a keyset")
        if any(key.state in ENDED for key in self.keys):
            raise InvariantBroken("a retired or revoked key is not a live key")
        if any(key.state not in ENDED for key in self.ended):
            raise InvariantBroken("only retired and revoked keys have ended")
        if any(key.state is State.GRACE and key.verify_until is None for key in self.keys):
            raise InvariantBroken("a grace key needs an instant until which it verifies")

    @property
    def active(self) -> Key | None:
        """The key that signs, if there is one."""
        return self._find_in_state(State.ACTIVE)

    @property
    def standby(self) -> Key | None:
        """The key that will sign next, if there is one."""
        return self._find_in_state(State.STANDBY)

    @property
    def grace(self) -> tuple[Key, ...]:
        """Superseded keys whose tokens may still be valid."""
        return tuple(key for key in self.keys if key.state is State.GRACE)

    @property
    def all_keys(self) -> tuple[Key | EndedKey, ...]:
        """The live and the ended keys."""
        return (*self.keys, *self.ended)

    def find(self, kid: str) -> Key | EndedKey | None:
        """The live or ended key with this kid, if it is listed."""
        for keys in (self.keys, self.ended):
            for key in keys:
                if key.kid == kid:
                    return key
        return None

    def get(self, kid: str) -> Key | EndedKey:
        """Like `find`; raises UnknownKid."""
        if key := self.find(kid):
            return key
        raise UnknownKid(kid)

    def is_behind_horizon(self, created: datetime) -> bool:
        """Whether an unlisted key created then has ended or can never be registered."""
        return self.horizon is not None and created <= self.horizon

    def cutoff(self, claim: Claim, digest: str) -> CutOff | None:
        """The cut-off of the claim's value with this digest, if there is one."""
        return cutoffs.find_by_digest(self._cutoffs, claim, digest)

    def refusing_cutoff(self, claims: Mapping[str, Any]) -> CutOff | None:
        """The cut-off that refuses a token with these claims (verified, or about to be signed)."""
        return cutoffs.find_match(self._cutoffs, claims)

    def _find_in_state(self, state: State) -> Key | None:
        return next((key for key in self.keys if key.state is state), None)


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a change: which operation, who started it, and why."""

    op_id: str
    started_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Generation:
    """A stored keyset, and who wrote it, when and why.

    `parent` is the digest of its parent's text (document.digest), empty in a keyset's first
    generation. `text` is the text that it was read from.
    """

    number: int
    op_id: str
    started_by: str
    reason: str
    at: datetime
    keyset: Keyset
    parent: str = ""
    text: str = field(default="", compare=False, repr=False)
