"""KMS asymmetric signing keys and the tagging API, with every key state and every key policy enforced.

Source: AWS KMS Developer Guide, "Key states of AWS KMS keys" and "AWS KMS eventual consistency"; API
Reference; tests/permissions/key_policy.py.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cloud.errors import refused
from tests.cloud.wire import Call, Listing, Wire
from tests.permissions.key_policy import KeyPolicy, Principal

ARN = "arn:aws:kms:us-east-1:123456789012:key/"
ENABLED, DISABLED, PENDING = "Enabled", "Disabled", "PendingDeletion"
_DAY = 86_400
_RAW_LIMIT = 4096
_RS256 = "RSASSA_PKCS1_V1_5_SHA_256"
_KIND = {
    "KeySpec": "RSA_2048",
    "KeyUsage": "SIGN_VERIFY",
    "Origin": "AWS_KMS",
    "MultiRegion": False,
}


@dataclass
class KmsKey:
    """A key, its states with the instants they began at, and when it is deleted for good."""

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
        """Its state as a call sees it that shows this instant."""
        return next((s for since, s in reversed(self.states) if since <= at), self.states[0][1])


class Kms:
    """The account's keys; `watch(arn, state)` is told of every change of state."""

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

    def client(self, *, retries: bool) -> "KmsClient":
        """A client; one that retries repeats what seems lost."""
        return KmsClient(self, self._wire, retries)

    def create(
        self, tags: list[dict[str, str]], policy: str, *, foreign: bool = False, **kind: Any
    ) -> dict[str, Any]:
        """A new key; `kind` is what of it is not as the product creates keys."""
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
        """The key, unless it was deleted for good."""
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
        """A key that bears a stack's tag, whoever makes it; returns its ARN."""
        tags = [{"TagKey": "keyturn:stack", "TagValue": stack}]
        return str(self.create(tags, policy, **kind)["KeyMetadata"]["Arn"])

    def disable(self, arn: str) -> None:
        """Nobody can use it from now on."""
        self.become(arn, DISABLED)

    def schedule_deletion(self, arn: str, days: int) -> None:
        """It is gone after so many days."""
        self.become(arn, PENDING)
        self.keys[arn].deletion = self._wire.now() + days * _DAY

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
        """The key, if it can be used."""
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
        """Enter a state now; a key that is to be deleted can enter none."""
        key = self.there(arn)
        if key.states[-1][1] == PENDING:
            raise refused("KMSInvalidStateException")
        key.states.append((self._wire.now(), state))
        self.watch(arn, state)

    def metadata(self, arn: str, at: float) -> dict[str, Any]:
        """What DescribeKey and CreateKey say."""
        key = self.there(arn)
        created = self._epoch + timedelta(seconds=key.created)
        told = {"Arn": arn, "CreationDate": created, "KeyState": key.state(at)}
        return {"KeyMetadata": {**told, **key.kind}}

    def tagged(self, name: str, values: list[str]) -> list[dict[str, Any]]:
        """The tagging API's answer: keys come late, and stay after their deletion."""
        seen = self._wire.now() - self.tag_lag
        return [
            {
                "ResourceARN": arn,
                "Tags": [{"Key": t["TagKey"], "Value": t["TagValue"]} for t in key.tags],
            }
            for arn, key in self.keys.items()
            if key.created <= seen
            and any(t["TagKey"] == name and t["TagValue"] in values for t in key.tags)
        ]


class KmsClient:
    """boto3's kms, the calls we make."""

    def __init__(self, kms: Kms, wire: Wire, retries: bool) -> None:
        self._kms, self._wire, self._retries = kms, wire, retries

    def create_key(self, Policy, Tags, BypassPolicyLockoutSafetyCheck=False, **kind):  # noqa: N803
        """CreateKey: no idempotency token; twice is two keys. A policy must be given."""
        assert (kind["KeySpec"], kind["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
        caller = self._kms.caller()
        managing = caller and KeyPolicy(Policy).allows(caller, "kms:PutKeyPolicy", "*", {})
        if not managing and not BypassPolicyLockoutSafetyCheck:
            raise refused("MalformedPolicyDocumentException")
        bypass = {"BypassPolicyLockoutSafetyCheck": BypassPolicyLockoutSafetyCheck}
        arguments = {**kind, "Policy": Policy, "Tags": Tags, **bypass}
        return self._carry("CreateKey", lambda _at: self._kms.create(Tags, Policy), arguments)

    def describe_key(self, KeyId):  # noqa: N803
        """DescribeKey: of a disabled key, too."""
        return self._call("DescribeKey", KeyId, lambda at: self._kms.metadata(KeyId, at))

    def get_key_policy(self, KeyId, PolicyName):  # noqa: N803
        """GetKeyPolicy: in any state."""
        assert PolicyName == "default"
        return self._call(
            "GetKeyPolicy", KeyId, lambda _at: {"Policy": self._kms.there(KeyId).policy.text}
        )

    def list_grants(self, KeyId):  # noqa: N803
        """ListGrants: in any state."""

        def effect(_at: float) -> dict[str, Any]:
            grants = self._kms.there(KeyId).policy.grants
            told = [{"GranteePrincipal": arn, "Operations": [name]} for arn, name in grants]
            return {"Grants": told, "Truncated": False}

        return self._call("ListGrants", KeyId, effect)

    def get_public_key(self, KeyId):  # noqa: N803
        """GetPublicKey: of a usable key only."""
        return self._call(
            "GetPublicKey", KeyId, lambda at: {"PublicKey": self._kms.usable(KeyId, at).der}
        )

    def sign(self, KeyId, Message, MessageType, SigningAlgorithm):  # noqa: N803
        """Sign: RAW up to 4,096 bytes, or a SHA-256 DIGEST."""
        assert SigningAlgorithm == _RS256
        raw = MessageType == "RAW"
        if len(Message) > _RAW_LIMIT or (not raw and len(Message) != hashlib.sha256().digest_size):
            raise refused("ValidationException")
        return self._call(
            "Sign",
            KeyId,
            lambda at: {"Signature": _signature(self._kms.usable(KeyId, at).private, Message, raw)},
            {"kms:SigningAlgorithm": SigningAlgorithm},
            Message=Message,
            MessageType=MessageType,
            SigningAlgorithm=SigningAlgorithm,
        )

    def verify(self, KeyId, Message, MessageType, Signature, SigningAlgorithm):  # noqa: N803
        """Verify: what Sign takes, and a signature that must be right."""
        assert SigningAlgorithm == _RS256
        algorithm = SHA256() if MessageType == "RAW" else Prehashed(SHA256())

        def effect(at: float) -> dict[str, Any]:
            public = self._kms.usable(KeyId, at).private.public_key()
            try:
                public.verify(Signature, Message, PKCS1v15(), algorithm)
            except InvalidSignature:
                raise refused("KMSInvalidSignatureException") from None
            return {"SignatureValid": True}

        return self._call("Verify", KeyId, effect)

    def disable_key(self, KeyId):  # noqa: N803
        """DisableKey: may be repeated."""
        return self._call("DisableKey", KeyId, lambda _at: self._kms.become(KeyId, DISABLED))

    def schedule_key_deletion(self, KeyId, PendingWindowInDays):  # noqa: N803
        """ScheduleKeyDeletion: 7 to 30 days, once."""
        if not 7 <= PendingWindowInDays <= 30:
            raise refused("ValidationException")

        days = PendingWindowInDays
        return self._call(
            "ScheduleKeyDeletion",
            KeyId,
            lambda _at: self._kms.schedule_deletion(KeyId, days),
            PendingWindowInDays=days,
        )

    def _call(self, name, arn, effect, context=None, **arguments):
        """A call that the key's policy must allow to whoever makes it."""

        def authorized(at: float) -> Any:
            self._kms.reach(arn, name)
            caller = self._kms.caller()
            if caller and not self._kms.allows(caller, f"kms:{name}", arn, context):
                raise refused("AccessDeniedException")
            return effect(at)

        return self._carry(name, authorized, {"KeyId": arn, **arguments})

    def _carry(self, name, effect, arguments):
        return self._wire.carry(Call(f"kms:{name}", effect, self._retries, arguments=arguments))


class TaggingClient:
    """boto3's resourcegroupstaggingapi, the call we make."""

    def __init__(self, kms: Kms, wire: Wire) -> None:
        self._kms, self._wire = kms, wire

    def get_paginator(self, name: str) -> Listing:
        """The one listing we ask for."""
        assert name == "get_resources"
        return Listing(self._pages)

    def _pages(self, ResourceTypeFilters, TagFilters):  # noqa: N803
        assert ResourceTypeFilters == ["kms:key"]
        [wanted] = TagFilters

        shown = 0
        while True:

            def effect(_at: float, shown: int = shown) -> dict[str, Any]:
                found = self._kms.tagged(wanted["Key"], wanted["Values"])[shown:]
                token = "on" if len(found) > self._kms.page else ""
                page = found[: self._kms.page]
                return {"ResourceTagMappingList": page, "PaginationToken": token}

            page = self._wire.carry(Call("tag:GetResources", effect, retries=True))
            yield page
            if not page.get("PaginationToken"):
                return
            shown += self._kms.page


@lru_cache(maxsize=10_000)  # runs of one script sign the same tokens
def _signature(key: RSAPrivateKey, message: bytes, raw: bool) -> bytes:
    return key.sign(message, PKCS1v15(), SHA256() if raw else Prehashed(SHA256()))
