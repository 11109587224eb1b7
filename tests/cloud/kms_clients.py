"""boto3's clients of KMS and of the tagging API, as far as the product calls them."""

import hashlib
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from tests.cloud.errors import refused
from tests.cloud.kms import DISABLED, Kms
from tests.cloud.material import sign
from tests.cloud.wire import Call, Listing, Wire
from tests.permissions.key_policy import KeyPolicy

_RAW_LIMIT = 4096
_RS256 = "RSASSA_PKCS1_V1_5_SHA_256"


class KmsClient:
    """boto3's kms, as far as the product calls it."""

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
            shown = [{"GranteePrincipal": arn, "Operations": [name]} for arn, name in grants]
            return {"Grants": shown, "Truncated": False}

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
            lambda at: {
                "Signature": sign(self._kms.usable(KeyId, at).private, Message, prehashed=not raw)
            },
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
        """A call that the key's policy must allow to the caller."""

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
    """boto3's resourcegroupstaggingapi, as far as the product calls it."""

    def __init__(self, kms: Kms, wire: Wire) -> None:
        self._kms, self._wire = kms, wire

    def get_paginator(self, name: str) -> Listing:
        """The one listing that the product requests."""
        assert name == "get_resources"
        return Listing(self._pages)

    def _pages(self, ResourceTypeFilters, TagFilters):  # noqa: N803
        assert ResourceTypeFilters == ["kms:key"]
        [wanted] = TagFilters

        shown = 0
        while True:

            def effect(_at: float, shown: int = shown) -> dict[str, Any]:
                mappings = self._kms.tagged(wanted["Key"], wanted["Values"])[shown:]
                token = "on" if len(mappings) > self._kms.page else ""
                page = mappings[: self._kms.page]
                return {"ResourceTagMappingList": page, "PaginationToken": token}

            page = self._wire.carry(Call("tag:GetResources", effect, retries=True))
            yield page
            if not page.get("PaginationToken"):
                return
            shown += self._kms.page
