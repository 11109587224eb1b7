"""The signing keys in KMS: RSA_2048, SIGN_VERIFY, created with their policy and the stack's tag.

The policy decides who may do what. The tag only serves to find keys that no keyset lists, and
proves nothing.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from keyturn.aws.clients import Clients
from keyturn.aws.faults import AccessDenied, AwsFault, KeyUnusable, translate_errors
from keyturn.aws.keyset.key_policy import is_same_policy, key_policy
from keyturn.keyset.errors import KeysetFault

if TYPE_CHECKING:
    from types_boto3_kms.type_defs import KeyMetadataTypeDef

    from keyturn.tokens.jwk import PublicJwk

STACK_TAG = "keyturn:stack"
_KIND = {
    "KeySpec": "RSA_2048",
    "KeyUsage": "SIGN_VERIFY",
    "Origin": "AWS_KMS",  # the key material has never existed outside KMS
}
_RAW_LIMIT = 4096  # bytes; the most that kms:Sign and kms:Verify take as RAW


class _SignArguments(TypedDict):
    Message: bytes
    MessageType: Literal["RAW", "DIGEST"]
    SigningAlgorithm: Literal["RSASSA_PKCS1_V1_5_SHA_256"]


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A KMS key, whether or not a keyset lists it."""

    arn: str
    created: datetime
    enabled: bool
    pending_deletion: bool
    has_our_spec: bool  # in everything but policy and grants
    deletion: datetime | None = None  # when KMS deletes it


class ForeignKey(KeysetFault):
    """The KMS key differs from those that this stack creates; Keyturn does not touch it."""

    def __init__(self, *arns: str) -> None:
        super().__init__(
            f"{', '.join(arns)}: differs from this stack's keys in kind, policy or grants"
        )


class KmsKeys:
    """All KMS calls that Keyturn makes."""

    def __init__(self, stack: str, role_prefix: str, clients: Clients) -> None:
        self._stack = stack
        self._role_prefix = role_prefix
        self._clients = clients

    def create(self) -> KmsKey:
        """Create a signing key; one attempt, because CreateKey has no idempotency token.

        The policy does not let the creating role change the policy afterwards, so KMS's lockout
        safety check must be bypassed. The account's administrators can change it. Raises AwsFault.
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
        """The public key.

        Raises KeyUnusable if it is disabled, NotASigningKey if it is of another kind, AwsFault.
        """
        from keyturn.tokens.jwk import PublicJwk  # cryptography: not needed to sign

        with translate_errors("kms:GetPublicKey"):
            answer = self._clients.kms.get_public_key(KeyId=arn)
        return PublicJwk.from_der(answer["PublicKey"])

    def sign(self, arn: str, message: bytes) -> bytes:
        """Sign with RS256 (RFC 7518 section 3.3); raises Throttled, KeyUnusable, AwsFault."""
        with translate_errors("kms:Sign"):
            answer = self._clients.kms.sign(KeyId=arn, **_rs256(message))
        return answer["Signature"]

    def verify(self, arn: str, message: bytes, signature: bytes) -> bool:
        """Whether KMS verifies an RS256 signature; raises KeyUnusable, AwsFault."""
        try:
            with translate_errors("kms:Verify"):
                answer = self._clients.kms.verify(KeyId=arn, Signature=signature, **_rs256(message))
        except AwsFault as fault:
            if fault.code == "KMSInvalidSignatureException":
                return False
            raise
        return answer["SignatureValid"]

    def describe(self, arn: str) -> KmsKey:
        """The key's metadata in KMS; raises KeyUnusable if it is gone, AwsFault."""
        with translate_errors("kms:DescribeKey"):
            answer = self._clients.kms.describe_key(KeyId=arn)
        return _kms_key(answer["KeyMetadata"])

    def find(self, arn: str) -> KmsKey | None:
        """Like `describe`; None if KMS does not know the key, which is gone or very young."""
        try:
            return self.describe(arn)
        except KeyUnusable:
            return None

    def disable(self, arn: str) -> KmsKey | None:
        """Disable the key, so that nothing more can be signed with it; may be repeated.

        Returns the key as it was before, or None if KMS does not know it (nothing was done).
        """
        key = self.find(arn)
        if key and key.enabled:
            with translate_errors("kms:DisableKey"):
                self._clients.kms.disable_key(KeyId=arn)
        return key

    def destroy(self, arn: str, *, window: int) -> bool:
        """Disable the key and schedule its deletion in `window` days.

        Returns False if KMS does not know it or its deletion is scheduled already.
        """
        key = self.disable(arn)
        if key is None or key.pending_deletion:
            return False
        with translate_errors("kms:ScheduleKeyDeletion"):
            self._clients.kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=window)
        return True

    def check_own(self, key: KmsKey) -> None:
        """Raise ForeignKey unless spec, policy and grants are as `create` sets them.

        Raises KeyUnusable, AccessDenied, AwsFault.
        """
        if not (
            key.has_our_spec and self._has_our_policy(key.arn) and self._has_no_grants(key.arn)
        ):
            raise ForeignKey(key.arn)

    def find_foreign(self, keys: Iterable[KmsKey]) -> list[str]:
        """The ARNs of those that are foreign; raises KeyUnusable, AccessDenied, AwsFault."""
        arns = []
        for key in keys:
            try:
                self.check_own(key)
            except ForeignKey:
                arns.append(key.arn)
        return arns

    def list_own(self, *, excluding: Collection[str] = ()) -> list[KmsKey]:
        """The keys that have this stack's tag and are its own, excluding these ARNs.

        A principal that may tag keys can tag any key. A key whose policy does not let us read it,
        or differs from ours, is foreign. A tag outlives its key. Raises AwsFault.
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
            if not key.pending_deletion:  # else there is nothing to do, and may be hundreds
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
        # A multi-Region key shares its key material with replicas that have their own policies.
        has_our_spec=_KIND.items() <= metadata.items() and not metadata.get("MultiRegion"),
        deletion=metadata.get("DeletionDate"),
    )
