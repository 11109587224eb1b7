"""Keyturn's issuer without AWS: its own transitions, documents and tokens, over RSA keys made here."""

import hashlib
import io
import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from keyturn.aws.keyset.well_known import WellKnown
from keyturn.keyset import timing, transitions
from keyturn.keyset.model import Generation, Key, Keyset, Origin
from keyturn.keyset.timing import Limits
from keyturn.rotation.publish_jwks import project
from keyturn.tokens import claims, jws
from keyturn.tokens.jwk import PublicJwk
from tests.cloud import material
from tests.periods import DEFAULTS

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIENCE = "orders"
_ORIGIN = Origin("op-1", "tests", "verifiers")
_SECOND = timedelta(seconds=1)


class Bucket:
    """boto3's s3 for one writer, whose conditions always hold."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """GetObject."""
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        stored = self.objects[Key]
        return {**stored, "Body": io.BytesIO(stored["Body"])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **headers: Any) -> None:  # noqa: N803
        """PutObject."""
        self.objects[Key] = {"Body": Body, "ETag": hashlib.sha256(Body).hexdigest(), **headers}


class Issuer:
    """One keyset, moved by the product's transitions at `now`; `lifetime` is its tokens', seconds."""

    def __init__(
        self, url: str, bucket: Bucket, keys: Iterator[RSAPrivateKey], lifetime: int
    ) -> None:
        self.url, self.now, self._lifetime = url, START, lifetime
        self.publishes = True  # each change at once
        self._unused, self._private = keys, dict[str, RSAPrivateKey]()
        self._generation = Generation(1, "", "", "", START, Keyset())
        self._ids = itertools.count(1)
        well_known = WellKnown(
            bucket,  # type: ignore[arg-type]
            "",
            issuer=url,
            token_url="https://api.example/v1/token",
            max_age=DEFAULTS.jwks_max_age,
        )
        self._stack: Any = SimpleNamespace(
            keysets=self, kms=self, well_known=well_known, times=DEFAULTS, clock=time
        )

    @property
    def active(self) -> Key:
        """The key that signs."""
        stored = self._generation.keyset.active
        assert stored
        return stored

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def create(self) -> str:
        """Register the next key as the standby; returns its kid."""
        private = next(self._unused)
        kid = PublicJwk.from_rsa(private.public_key()).kid
        self._private[kid] = private
        self._change(
            lambda keyset, now: transitions.register(
                keyset, kid, kid, now, created=now, lifetime=self._lifetime, limits=Limits()
            )
        )
        return kid

    def activate(self, kid: str) -> None:
        """The standby signs; refused by the product while some verifier may not know it."""
        active = self._generation.keyset.active
        supersede = active.kid if active else None
        self._change(
            lambda keyset, now: transitions.activate(
                keyset, kid, now, supersede=supersede, times=DEFAULTS, limits=Limits()
            )
        )

    def wait_until_it_may_sign(self, kid: str) -> None:
        """Exactly as long as the workflow waits after the publication."""
        key = self._generation.keyset.get(kid)
        assert isinstance(key, Key)
        assert key.published
        self.now = timing.may_sign_after(key.published, DEFAULTS) + _SECOND

    def wait_until_it_may_retire(self, kid: str) -> None:
        """Exactly as long as the workflow waits after the supersession."""
        key = self._generation.keyset.get(kid)
        assert isinstance(key, Key)
        assert key.verify_until
        self.now = timing.retire_after(key.verify_until, DEFAULTS) + _SECOND

    def retire(self, kid: str) -> None:
        """The superseded key ends."""
        self._change(
            lambda keyset, now: transitions.retire(
                keyset, kid, now, times=DEFAULTS, limits=Limits()
            )
        )

    def revoke(self, kid: str) -> None:
        """The key ends at once; the standby signs if it was the active one."""
        self._change(
            lambda keyset, now: transitions.revoke(
                keyset, [kid], now, times=DEFAULTS, limits=Limits()
            )
        )

    def token(
        self,
        kid: str | None = None,
        *,
        issuer: str | None = None,
        audience: str = AUDIENCE,
        signed_by: RSAPrivateKey | None = None,
        lifetime: int | None = None,
    ) -> str:
        """A token of the active key; or of `kid`, whatever became of it: as if it had been stolen."""
        kid = kid or self.active.kid
        lifetime = lifetime or self._lifetime
        members = claims.build(
            issuer=issuer or self.url,
            subject="alice",
            audience=audience,
            client_id="shop",
            lifetime=lifetime,
            scope="orders:read",
            jti=f"id-{next(self._ids)}",
            now=int(self.now.timestamp()),
        )
        signed = jws.build_signing_input(kid, members)
        private = signed_by or self._private[kid]
        return jws.serialize(signed, material.sign(private, signed.encode()))

    def publish(self) -> None:
        """Bring the JWKS to the keyset, as PublishJwks does."""
        project(self._stack, _ORIGIN)

    def read(self) -> Generation:
        """The keyset store's."""
        return self._generation

    def read_newer(self, held: Generation) -> Generation:
        """The keyset store's."""
        return self._generation

    def update(
        self, transition: Callable[[Keyset, datetime], Keyset], _origin: Origin
    ) -> Generation:
        """The keyset store's."""
        changed = transition(self._generation.keyset, self.now)
        if changed != self._generation.keyset:
            number = self._generation.number + 1
            self._generation = Generation(number, "", "", "", self.now, changed)
        return self._generation

    def public_jwk(self, arn: str) -> PublicJwk:
        """KMS's."""
        return PublicJwk.from_rsa(self._private[arn].public_key())

    def _change(self, transition: Callable[[Keyset, datetime], Keyset]) -> None:
        self.update(transition, _ORIGIN)
        if self.publishes:
            self.publish()
