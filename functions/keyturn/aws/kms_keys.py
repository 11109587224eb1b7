"""The signing keys in KMS: RSA_2048, SIGN_VERIFY, tagged at birth with their stack."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from keyturn.aws.clients import Clients
from keyturn.aws.faults import AwsFault, KeyUnusable, translated

if TYPE_CHECKING:
    from types_boto3_kms.type_defs import KeyMetadataTypeDef

    from keyturn.tokens.jwk import PublicJwk

STACK_TAG = "keyturn:stack"
_RAW_LIMIT = 4096  # bytes that kms:Sign and kms:Verify take as RAW


class _Signed(TypedDict):
    Message: bytes
    MessageType: Literal["RAW", "DIGEST"]
    SigningAlgorithm: Literal["RSASSA_PKCS1_V1_5_SHA_256"]


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A KMS key of this stack, whether or not any keyset knows it."""

    arn: str
    created: datetime
    enabled: bool
    pending_deletion: bool
    deletion: datetime | None = None  # when KMS deletes it


class KmsKeys:
    """The KMS calls this product makes, and no others."""

    def __init__(self, stack: str, clients: Clients) -> None:
        self._stack = stack
        self._clients = clients

    def create(self) -> KmsKey:
        """Create a signing key: one attempt, for CreateKey has no idempotency token."""
        with translated("kms:CreateKey"):
            answer = self._clients.kms_once.create_key(
                KeySpec="RSA_2048",
                KeyUsage="SIGN_VERIFY",
                Description=f"Keyturn signing key of {self._stack}",
                Tags=[{"TagKey": STACK_TAG, "TagValue": self._stack}],
            )
        return _kms_key(answer["KeyMetadata"])

    def public_jwk(self, arn: str) -> "PublicJwk":
        """The public key; raises KeyUnusable for a disabled one, NotASigningKey for another kind."""
        from keyturn.tokens.jwk import PublicJwk  # cryptography: who only signs needs none

        with translated("kms:GetPublicKey"):
            answer = self._clients.kms.get_public_key(KeyId=arn)
        return PublicJwk.from_der(answer["PublicKey"])

    def sign(self, arn: str, message: bytes) -> bytes:
        """RS256 over `message` (RFC 7518 section 3.3); raises Throttled, KeyUnusable."""
        with translated("kms:Sign"):
            answer = self._clients.kms.sign(KeyId=arn, **_rs256(message))
        return answer["Signature"]

    def verify(self, arn: str, message: bytes, signature: bytes) -> bool:
        """KMS's own opinion of an RS256 signature; raises KeyUnusable, AwsFault."""
        try:
            with translated("kms:Verify"):
                answer = self._clients.kms.verify(KeyId=arn, Signature=signature, **_rs256(message))
        except AwsFault as fault:
            if fault.code == "KMSInvalidSignatureException":
                return False
            raise
        return answer["SignatureValid"]

    def describe(self, arn: str) -> KmsKey:
        """What KMS says about the key; raises KeyUnusable when it is gone, AwsFault."""
        with translated("kms:DescribeKey"):
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
            with translated("kms:DisableKey"):
                self._clients.kms.disable_key(KeyId=arn)
        return key

    def destroy(self, arn: str, *, window: int) -> bool:
        """Disable the key and have it deleted after `window` days; False if it is going, or not known."""
        key = self.disable(arn)
        if key is None or key.pending_deletion:
            return False
        with translated("kms:ScheduleKeyDeletion"):
            self._clients.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=window)
        return True

    def of_stack(self) -> list[KmsKey]:
        """Every key that carries this stack's tag and that KMS knows; tags outlive their key."""
        with translated("tag:GetResources"):
            pages = self._clients.tagging.get_paginator("get_resources").paginate(
                ResourceTypeFilters=["kms:key"],
                TagFilters=[{"Key": STACK_TAG, "Values": [self._stack]}],
            )
            mappings = [mapping for page in pages for mapping in page["ResourceTagMappingList"]]
        keys = (self.find(mapping["ResourceARN"]) for mapping in mappings)
        return [key for key in keys if key]


def _rs256(message: bytes) -> "_Signed":
    raw = len(message) <= _RAW_LIMIT
    return {
        "Message": message if raw else hashlib.sha256(message).digest(),
        "MessageType": "RAW" if raw else "DIGEST",
        "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
    }


def _kms_key(metadata: "KeyMetadataTypeDef | dict[str, Any]") -> KmsKey:
    return KmsKey(
        arn=metadata["Arn"],
        created=metadata["CreationDate"],
        enabled=metadata["KeyState"] == "Enabled",
        pending_deletion=metadata["KeyState"] == "PendingDeletion",
        deletion=metadata.get("DeletionDate"),
    )
