"""S4 to S7 for each key: checked whenever a generation lands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.timing import Limits, Times
from keyturn.tokens.jwk import PublicJwk
from tests.cloud.kms import ENABLED, Kms
from tests.simulation.watch.broken import insist

ROLLED_BACK = "rolled back"  # the reason that the runs' operators give
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
class Keys:
    """What is known of every key that ever was in the keyset."""

    times: Times
    limits: Limits
    kms: Kms
    now: Callable[[], float]
    first_shown: dict[str, float] = field(default_factory=dict)  # kid: since when in the JWKS
    lives: dict[str, Life] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)  # ARN: kid
    asked: set[str] = field(default_factory=set)  # kids that somebody wants revoked

    def life(self, kid: str) -> Life:
        """What is known of this key."""
        return self.lives.setdefault(kid, Life())

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
