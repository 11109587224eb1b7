"""The signing keys in KMS: RSA_2048, SIGN_VERIFY, born with their policy and tagged with their stack.

The policy decides who may do what; the tag only finds keys that no keyset lists, and proves nothing.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from keyturn.aws.clients import Clients
from keyturn.aws.faults import AccessDenied, AwsFault, KeyUnusable, translate_errors
from keyturn.aws.key_policy import is_same_policy, key_policy
from keyturn.keyset.errors import KeysetFault

if TYPE_CHECKING:
    from types_boto3_kms.type_defs import KeyMetadataTypeDef

    from keyturn.tokens.jwk import PublicJwk

STACK_TAG = "keyturn:stack"
_KIND = {
    "KeySpec": "RSA_2048",
    "KeyUsage": "SIGN_VERIFY",
    "Origin": "AWS_KMS",  # nobody else has ever had the key material
}
_RAW_LIMIT = 4096  # bytes that kms:Sign and kms:Verify take as RAW


class _SignArguments(TypedDict):
    Message: bytes
    MessageType: Literal["RAW", "DIGEST"]
    SigningAlgorithm: Literal["RSASSA_PKCS1_V1_5_SHA_256"]


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A KMS key, whether or not any keyset knows it."""

    arn: str
    created: datetime
    enabled: bool
    pending_deletion: bool
    has_our_spec: bool  # in everything but its policy and its grants
    deletion: datetime | None = None  # when KMS deletes it


class ForeignKey(KeysetFault):
    """A KMS key that is not as this stack makes its keys; nothing is done with it."""

    def __init__(self, *arns: str) -> None:
        super().__init__(
            f"{', '.join(arns)}: differs from this stack's keys in kind, policy or grants"
        )


class KmsKeys:
    """The KMS calls this product makes, and no others."""

    def __init__(self, stack: str, role_prefix: str, clients: Clients) -> None:
        self._stack = stack
        self._role_prefix = role_prefix
        self._clients = clients

    def create(self) -> KmsKey:
        """Create a signing key: one attempt, for CreateKey has no idempotency token.

        Its policy lets who creates it change nothing of it afterwards. That is what KMS's lockout safety
        check is there to prevent and to be told; the account's administrators can.
        """
        with translate_errors("kms:CreateKey"):
            answer = self._clients.kms_once.create_key(
                KeySpec="RSA_2048",
                KeyUsage="SIGN_VERIFY",
                Policy=key_policy(self._role_prefix),
                BypassPolicyLockoutSafetyCheck=True,
                Description=f"Keyturn signing key of {self._stack}",
                Tags=[{"TagKey": STACK_TAG, "TagValue": self._stack}],
            )
        return _kms_key(answer["KeyMetadata"])

    def public_jwk(self, arn: str) -> "PublicJwk":
        """The public key; raises KeyUnusable for a disabled one, NotASigningKey for another kind."""
        from keyturn.tokens.jwk import PublicJwk  # cryptography: who only signs needs none

        with translate_errors("kms:GetPublicKey"):
            answer = self._clients.kms.get_public_key(KeyId=arn)
        return PublicJwk.from_der(answer["PublicKey"])

    def sign(self, arn: str, message: bytes) -> bytes:
        """RS256 over `message` (RFC 7518 section 3.3); raises Throttled, KeyUnusable."""
        with translate_errors("kms:Sign"):
            answer = self._clients.kms.sign(KeyId=arn, **_rs256(message))
        return answer["Signature"]

    def verify(self, arn: str, message: bytes, signature: bytes) -> bool:
        """KMS's own opinion of an RS256 signature; raises KeyUnusable, AwsFault."""
        try:
            with translate_errors("kms:Verify"):
                answer = self._clients.kms.verify(KeyId=arn, Signature=signature, **_rs256(message))
        except AwsFault as fault:
            if fault.code == "KMSInvalidSignatureException":
                return False
            raise
        return answer["SignatureValid"]

    def describe(self, arn: str) -> KmsKey:
        """What KMS says about the key; raises KeyUnusable when it is gone, AwsFault."""
        with translate_errors("kms:DescribeKey"):
            answer = self._clients.kms.describe_key(KeyId=arn)
        return _kms_key(answer["KeyMetadata"])

    def find(self, arn: str) -> KmsKey | None:
        """Like `describe`; None when KMS does not know the key: it is gone, or very young."""
        try:
            return self.describe(arn)
        except KeyUnusable:
            return None

    def disable(self, arn: str) -> KmsKey | None:
        """Nobody can sign with the key from now on; may be repeated.

        Returns what it was before, None when KMS does not know it (and nothing was done).
        """
        key = self.find(arn)
        if key and key.enabled:
            with translate_errors("kms:DisableKey"):
                self._clients.kms.disable_key(KeyId=arn)
        return key

    def destroy(self, arn: str, *, window: int) -> bool:
        """Disable the key and have it deleted after `window` days; False if it is going, or not known."""
        key = self.disable(arn)
        if key is None or key.pending_deletion:
            return False
        with translate_errors("kms:ScheduleKeyDeletion"):
            self._clients.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=window)
        return True

    def check_own(self, key: KmsKey) -> None:
        """Insist that the key is as `create` makes them; raises ForeignKey, KeyUnusable, AccessDenied, AwsFault."""
        if not (
            key.has_our_spec and self._has_our_policy(key.arn) and self._has_no_grants(key.arn)
        ):
            raise ForeignKey(key.arn)

    def find_foreign(self, keys: Iterable[KmsKey]) -> list[str]:
        """The ARNs of those that are not as `create` makes them; raises KeyUnusable, AccessDenied, AwsFault."""
        arns = []
        for key in keys:
            try:
                self.check_own(key)
            except ForeignKey:
                arns.append(key.arn)
        return arns

    def list_own(self, *, excluding: Collection[str] = ()) -> list[KmsKey]:
        """The keys that carry this stack's tag and are its own, but for those of these ARNs.

        Whoever may tag keys can tag any. A key whose policy does not name us, or says anything else than
        ours, belongs to somebody else; a tag outlives its key.
        """
        with translate_errors("tag:GetResources"):
            pages = self._clients.tagging.get_paginator("get_resources").paginate(
                ResourceTypeFilters=["kms:key"],
                TagFilters=[{"Key": STACK_TAG, "Values": [self._stack]}],
            )
            mappings = [mapping for page in pages for mapping in page["ResourceTagMappingList"]]
        arns = (mapping["ResourceARN"] for mapping in mappings)
        keys = (self._find_own(arn) for arn in arns if arn not in excluding)
        return [key for key in keys if key]

    def _find_own(self, arn: str) -> KmsKey | None:
        try:
            key = self.describe(arn)
            if not key.pending_deletion:  # else nothing is left to do, and there may be hundreds
                self.check_own(key)
        except (KeyUnusable, AccessDenied, ForeignKey):
            return None
        return key

    def _has_our_policy(self, arn: str) -> bool:
        with translate_errors("kms:GetKeyPolicy"):
            answer = self._clients.kms.get_key_policy(KeyId=arn, PolicyName="default")
        return is_same_policy(answer["Policy"], key_policy(self._role_prefix))

    def _has_no_grants(self, arn: str) -> bool:
        with translate_errors("kms:ListGrants"):
            answer = self._clients.kms.list_grants(KeyId=arn)
        return not (answer["Grants"] or answer["Truncated"])


def _rs256(message: bytes) -> "_SignArguments":
    is_raw = len(message) <= _RAW_LIMIT
    return {
        "Message": message if is_raw else hashlib.sha256(message).digest(),
        "MessageType": "RAW" if is_raw else "DIGEST",
        "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
    }


def _kms_key(metadata: "KeyMetadataTypeDef | dict[str, Any]") -> KmsKey:
    return KmsKey(
        arn=metadata["Arn"],
        created=metadata["CreationDate"],
        enabled=metadata["KeyState"] == "Enabled",
        pending_deletion=metadata["KeyState"] == "PendingDeletion",
        # A key of several Regions shares its material with keys that have other policies.
        has_our_spec=_KIND.items() <= metadata.items() and not metadata.get("MultiRegion"),
        deletion=metadata.get("DeletionDate"),
    )
