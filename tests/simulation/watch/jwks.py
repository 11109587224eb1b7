"""S10, and S1 for other verifiers: checked whenever the JWKS is written or a token is signed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset.timing import Limits, Times
from tests.cloud.s3 import Version
from tests.simulation.watch.broken import insist
from tests.simulation.watch.truth import Truth

_MEMBERS = {"kty", "use", "alg", "kid", "n", "e"}


@dataclass
class Jwks:
    """What the public documents show, and have shown."""

    times: Times
    limits: Limits
    truth: Truth
    now: Callable[[], float]
    generation: int = 0
    shown: set[str] = field(default_factory=set)
    body: bytes = b""  # as the product wrote it last
    is_tampered: bool = False  # somebody else has written since

    def wrote(self, name: str, version: Version) -> None:
        """An object was written."""
        if name != JWKS:
            return
        members = json.loads(version.body)["keys"]
        insist(all(set(m) == _MEMBERS for m in members), "S10", "another member than the public")
        kids, number = {m["kid"] for m in members}, int(version.metadata["keyturn-generation"])
        most = self.limits.live_keys
        insist(len(kids) <= most, "S10", f"{len(kids)} keys in a JWKS of at most {most}")
        is_hidden = self.truth.hidden_until(self.now()) + self.times.write_delay >= self.now()
        goes_on = number >= self.generation or (self.is_tampered and is_hidden)  # two permissions
        insist(goes_on, "S10", f"the JWKS went back from {self.generation}")
        own = self.truth.generation(number)
        live = {key.kid for key in own.keyset.keys} if own else set()
        insist(kids == live, "S10", f"not the live keys of its own generation {number}")
        for kid in self.shown - kids:
            life = self.truth.life(kid)
            alive = life.revoked is None and self.now() < life.dead_by
            insist(not alive, "S10", "a key left the JWKS while a token of it is alive")
            self.truth.first_shown.pop(kid, None)
        for kid in kids - self.shown:
            self.truth.first_shown[kid] = self.now()
        self.generation, self.shown, self.body = number, kids, version.body
        self.is_tampered = False

    def signed(self, kid: str, at: float) -> None:
        """A token was signed: verifiers that have cached the JWKS for up to P know its key."""
        life, shown = self.truth.life(kid), self.truth.first_shown.get(kid)
        if life.revoked is not None:
            return  # an issuer with an older view
        if life.alone and (shown is None or at <= shown + self.times.propagation):
            return  # an emergency or the bootstrap: nobody else could sign
        insist(shown is not None, "S1", "a token of a key that the JWKS does not show")
        cached = at - self.times.propagation
        insist(shown is not None and shown < cached, "S1", "a JWKS cached for P lacks the key")
