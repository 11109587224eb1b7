"""The KMS calls of the cases, with the product's arguments (keyturn.aws.keyset.kms_keys)."""

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn.aws.keyset.key_policy import key_policy
from tests.cloud.contract.clouds import Cloud


def policy() -> str:
    """The policy of the key that `create` creates."""
    return key_policy("arn:aws:iam::123456789012:role/keyturn/us-east-1/contract/")


def create(cloud: Cloud, stack: str = "contract", op_id: str = "op-1") -> Any:
    """CreateKey as the product calls it."""
    tags = {"keyturn:stack": stack, "keyturn:op_id": op_id}
    return cloud.clients.kms_once.create_key(
        KeySpec="RSA_2048",
        KeyUsage="SIGN_VERIFY",
        Policy=policy(),
        BypassPolicyLockoutSafetyCheck=True,
        Description=f"Keyturn signing key of {stack}",
        Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()],
    )["KeyMetadata"]


def state(cloud: Cloud, arn: str) -> str:
    """The state in DescribeKey."""
    return str(cloud.clients.kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"])


def public(kms: Any, arn: str) -> RSAPublicKey:
    """GetPublicKey."""
    key = load_der_public_key(kms.get_public_key(KeyId=arn)["PublicKey"])
    assert isinstance(key, RSAPublicKey)
    return key


def sign(kms: Any, arn: str, message: bytes = b"text", *, kind: str = "RAW") -> bytes:
    """Sign as the product calls it."""
    algorithm = "RSASSA_PKCS1_V1_5_SHA_256"
    answer = kms.sign(KeyId=arn, Message=message, MessageType=kind, SigningAlgorithm=algorithm)
    return bytes(answer["Signature"])


def verifies(key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    """Whether it is an RS256 signature of the message by this key."""
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def disable(kms: Any, arn: str) -> None:
    """DisableKey."""
    kms.disable_key(KeyId=arn)


def end(kms: Any, arn: str, days: int = 7) -> None:
    """ScheduleKeyDeletion."""
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=days)


def describe(kms: Any, arn: str) -> None:
    """DescribeKey."""
    kms.describe_key(KeyId=arn)


def tagged(cloud: Cloud, stack: str) -> dict[str, dict[str, str]]:
    """GetResources: the tags of each key of a stack."""
    pages = cloud.clients.tagging.get_paginator("get_resources").paginate(
        ResourceTypeFilters=["kms:key"],
        TagFilters=[{"Key": "keyturn:stack", "Values": [stack]}],
    )
    return {
        mapping["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in mapping["Tags"]}
        for page in pages
        for mapping in page["ResourceTagMappingList"]
    }
