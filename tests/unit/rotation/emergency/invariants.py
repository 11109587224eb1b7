"""S1, S2, S4, S5, S8, S9 and S10 of the design, looked at after every state of every execution."""

from datetime import timedelta
from itertools import pairwise

from keyturn.api import authorize, issue_token
from keyturn.api.answers import Unavailable
from keyturn.aws.stack import Stack
from keyturn.keyset import timing
from keyturn.keyset.model import EndedKey, Key
from keyturn.keyset.states import State
from keyturn.tokens import jws
from keyturn.tokens.errors import TokenRefused


class Watch:
    """What was seen so far, and two containers whose views grow old as anybody's do."""

    def __init__(self, memory, stack) -> None:
        self._memory, self._stack, self._clock = memory, stack, stack.clock
        self._issuer, self._authorizer = (
            Stack(stack.settings, clock=stack.clock, clients=memory.clients) for _ in range(2)
        )
        self._texts: dict[str, str] = {}
        self.generations: list = []
        self._jwks = 0
        self._activated: dict[str, bool] = {}  # kid: known to every verifier when it rose
        self.tokens: dict[str, tuple] = {}  # kid: its last token, the key as it was then, exp

    def look(self) -> None:
        """Insist on every invariant, now."""
        quiet, self._memory.before = self._memory.before, lambda operation: None
        try:
            self._generations_are_appended()
            self._keys_fit()
            self._jwks_is_of_its_generation()
            self._tokens_count_or_do_not()
        finally:
            self._memory.before = quiet

    def issue(self) -> None:
        """Have a token issued by a container with a view of its own, if one can be."""
        request = issue_token.TokenRequest(subject="user-1")
        quiet, self._memory.before = self._memory.before, lambda operation: None
        try:
            token = issue_token.issue(self._issuer, request, "client-1")["access_token"]
        except Unavailable:
            assert self._nobody_signed_lately()
        else:
            self._generations_are_appended()
            key = self._signer(jws.UnverifiedToken.parse(token).kid)
            expires = self._clock.now() + timedelta(seconds=key.lifetime)
            self.tokens[key.kid] = token, key, expires
        finally:
            self._memory.before = quiet

    def _signer(self, kid: str) -> Key:
        """The key as it was when it last signed."""
        actives = (generation.keyset.active for generation in reversed(self.generations))
        return next(key for key in actives if key and key.kid == kid)

    def _nobody_signed_lately(self) -> bool:
        """Whether a view at most C old may show a keyset without an active key."""
        self._generations_are_appended()
        limit = self._clock.now() - timedelta(seconds=self._stack.times.view_ttl)
        ends = [(new.at, old) for old, new in pairwise(self.generations)]
        ends.append((self._clock.now(), self.generations[-1]))
        return any(old.keyset.active is None and end >= limit for end, old in ends)

    def _generations_are_appended(self) -> None:
        """S9: none is overwritten and none is left out; S5: what has ended stays as it ended."""
        texts = dict(self._memory.parameters)
        kept = self._texts.keys() - self._memory.deleted
        assert {name: texts.get(name) for name in kept} == {n: self._texts[n] for n in kept}
        for name in sorted(texts.keys() - self._texts.keys()):
            new = self._stack.keysets.parsed(int(name.rsplit("/", 1)[1]), texts[name])
            if self.generations:
                old = self.generations[-1]
                assert new.number == old.number + 1
                ended = {key.kid: key.state for key in old.keyset.ended}
                left = {key.kid: key.state for key in new.keyset.known if key.kid in ended}
                assert left.items() <= ended.items()
                assert new.at - old.at > timedelta(hours=48) or left == ended
            self.generations.append(new)
            self._note_activation(new.keyset)
        self._texts = texts

    def _note_activation(self, keyset) -> None:
        if (key := keyset.active) and key.kid not in self._activated:
            ready = key.published and timing.may_sign_after(key.published, self._stack.times)
            self._activated[key.kid] = bool(ready and key.activated > ready)

    def _keys_fit(self) -> None:
        """S4: one key signs, and KMS lets it; S8: KMS keeps every key that is live."""
        keyset = self.generations[-1].keyset
        states = [key.state for key in keyset.keys]
        assert max(states.count(State.ACTIVE), states.count(State.STANDBY)) <= 1
        for key in keyset.keys:
            assert self._memory.keys[key.kms_key_arn].state == "Enabled"
            assert self._stack.kms.public_jwk(key.kms_key_arn).kid == key.kid

    def _jwks_is_of_its_generation(self) -> None:
        """S10: it never goes back, and shows exactly the live keys of the generation it names."""
        seen = self._stack.well_known.read()
        assert seen.generation >= self._jwks
        self._jwks = seen.generation
        shown = next(g for g in self.generations if g.number == seen.generation)
        assert set(seen.keys) == {key.kid for key in shown.keyset.keys}

    def _tokens_count_or_do_not(self) -> None:
        """S1 and S2, for an authorizer that refreshes its view as it does in production."""
        now, times = self._clock.now(), self._stack.times
        keyset = self.generations[-1].keyset
        for token, key, expires in self.tokens.values():
            verdict = self._verdict(token)
            found = keyset.find(key.kid)
            revoked = isinstance(found, EndedKey) and found.state is State.REVOKED
            if revoked and now > found.ended + timing.revocation_bound(times):
                assert verdict == "key_revoked"
            known = self._activated[key.kid] or now > key.activated + timedelta(
                seconds=max(times.view_ttl, 5) + times.clock_skew
            )
            if not revoked and now < expires and known:
                assert verdict == "ok", (verdict, key.kid)

    def _verdict(self, token: str) -> str:
        try:
            authorize.authenticate(self._authorizer, token, {})
        except TokenRefused as refusal:
            return str(refusal.code)
        return "ok"
