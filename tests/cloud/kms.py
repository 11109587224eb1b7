"""KMS's asymmetric signing keys, with their states and policies.

Source: AWS KMS Developer Guide, "Key states of AWS KMS keys" and "AWS KMS eventual consistency"; API
Reference; tests/permissions/key_policy.py.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cloud.errors import refused
from tests.cloud.wire import Wire
from tests.permissions.key_policy import KeyPolicy, Principal

ARN = "arn:aws:kms:us-east-1:123456789012:key/"
ENABLED, DISABLED, PENDING = "Enabled", "Disabled", "PendingDeletion"
DAY = 86_400
_KIND = {
    "KeySpec": "RSA_2048",
    "KeyUsage": "SIGN_VERIFY",
    "Origin": "AWS_KMS",
    "MultiRegion": False,
}


@dataclass
class KmsKey:
    """A key, its states and when each began, and when it is deleted for good."""

    private: RSAPrivateKey
    der: bytes
    created: float
    tags: list[dict[str, str]]
    policy: KeyPolicy
    kind: Mapping[str, Any]
    foreign: bool  # not created by the product
    states: list[tuple[float, str]] = field(default_factory=list)
    deletion: float | None = None

    def state(self, at: float) -> str:
        """The state that a call shows as of this instant."""
        return next((s for since, s in reversed(self.states) if since <= at), self.states[0][1])


class Kms:
    """The account's keys; `watch(arn, state)` is called at every change of state."""

    def __init__(self, wire: Wire, epoch: datetime, material: Iterator[RSAPrivateKey]) -> None:
        self._wire, self._epoch, self._material = wire, epoch, material
        self.keys: dict[str, KmsKey] = {}
        self.watch = lambda arn, state: None
        self.caller: Callable[[], Principal | None] = lambda: (
            None
        )  # None: who looks on from outside
        self.page = 100  # keys that the tagging API shows at once, at most
        self.tag_lag = 0.0  # seconds until the tagging API knows a key
        self.birth_lag = 0.0  # seconds until every host of KMS knows a key
        self.host: Callable[[str], float] = lambda _call: 1.0  # of them, when this call's one does

    def create(
        self, tags: list[dict[str, str]], policy: str, *, foreign: bool = False, **kind: Any
    ) -> dict[str, Any]:
        """A new key; `kind` has what differs from the keys that the product creates."""
        now = self._wire.now()
        private = next(self._material)
        der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        arn = f"{ARN}00000000-0000-4000-8000-{len(self.keys):012d}"
        self.keys[arn] = KmsKey(
            private,
            der,
            now,
            tags,
            KeyPolicy(policy),
            {**_KIND, **kind},
            foreign,
            [(now, ENABLED)],
        )
        return self.metadata(arn, now)

    def there(self, arn: str) -> KmsKey:
        """The key; refused if it was deleted for good."""
        key = self.keys.get(arn)
        if key is None or (key.deletion is not None and key.deletion <= self._wire.now()):
            raise refused("NotFoundException")
        return key

    def reach(self, arn: str, call: str) -> None:
        """Find a host for a call; refused if that one does not know the key yet."""
        age = self._wire.now() - self.there(arn).created
        if age < self.birth_lag * self.host(call):
            raise refused("NotFoundException")

    def allows(
        self, caller: Principal, action: str, arn: str, context: Mapping[str, str] | None = None
    ) -> bool:
        """Whether the key's policy, or a grant, lets this caller do that."""
        return self.there(arn).policy.allows(caller, action, arn, context or {})

    def lend(self, arn: str, grantee: Principal, action: str) -> None:
        """CreateGrant."""
        key = self.there(arn)
        grants = key.policy.grants | {(grantee.arn, action)}
        key.policy = replace(key.policy, grants=grants)

    def state(self, arn: str) -> str:
        """Its state now."""
        return self.there(arn).state(self._wire.now())

    def create_tagged(self, stack: str, policy: str, **kind: Any) -> str:
        """A key with a stack's tag, created by any principal; returns its ARN."""
        tags = [{"TagKey": "keyturn:stack", "TagValue": stack}]
        return str(self.create(tags, policy, **kind)["KeyMetadata"]["Arn"])

    def disable(self, arn: str) -> None:
        """It cannot be used from now on."""
        self.become(arn, DISABLED)

    def schedule_deletion(self, arn: str, days: int) -> None:
        """It is deleted after so many days."""
        self.become(arn, PENDING)
        self.keys[arn].deletion = self._wire.now() + days * DAY

    def cancel_deletion(self, arn: str) -> None:
        """It is disabled instead."""
        key = self.there(arn)
        key.deletion = None
        key.states.append((self._wire.now(), DISABLED))

    def set_policy(self, arn: str, policy: str) -> None:
        """PutKeyPolicy."""
        key = self.there(arn)
        key.policy = replace(KeyPolicy(policy), grants=key.policy.grants)

    def usable(self, arn: str, at: float) -> KmsKey:
        """The key; refused if it cannot be used."""
        key = self.there(arn)
        if key.kind["KeySpec"] != _KIND["KeySpec"]:
            raise refused("UnsupportedOperationException")
        match key.state(at):
            case "Disabled":
                raise refused("DisabledException")
            case "PendingDeletion":
                raise refused("KMSInvalidStateException")
        return key

    def become(self, arn: str, state: str) -> None:
        """Enter a state now; a key pending deletion cannot."""
        key = self.there(arn)
        if key.states[-1][1] == PENDING:
            raise refused("KMSInvalidStateException")
        key.states.append((self._wire.now(), state))
        self.watch(arn, state)

    def metadata(self, arn: str, at: float) -> dict[str, Any]:
        """The metadata in the answers of DescribeKey and CreateKey."""
        key = self.there(arn)
        created = self._epoch + timedelta(seconds=key.created)
        metadata = {"Arn": arn, "CreationDate": created, "KeyState": key.state(at)}
        return {"KeyMetadata": {**metadata, **key.kind}}

    def tagged(self, name: str, values: list[str]) -> list[dict[str, Any]]:
        """The tagging API's answer: it shows keys late, and still after their deletion."""
        latest = self._wire.now() - self.tag_lag
        return [
            {
                "ResourceARN": arn,
                "Tags": [{"Key": t["TagKey"], "Value": t["TagValue"]} for t in key.tags],
            }
            for arn, key in self.keys.items()
            if key.created <= latest
            and any(t["TagKey"] == name and t["TagValue"] in values for t in key.tags)
        ]
