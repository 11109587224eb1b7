"""What the product relies on in KMS and the tagging API (keyturn.aws.keyset.kms_keys).

Source: AWS KMS API Reference; Developer Guide, "Key states of AWS KMS keys", whose table lets a key
that is pending deletion refuse its use in either of two ways.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from keyturn.aws.keyset.key_policy import is_same_policy
from tests.cloud.contract.clouds import Cloud, refused
from tests.cloud.contract.keys import (
    create,
    describe,
    disable,
    end,
    policy,
    public,
    sign,
    state,
    tagged,
    verifies,
)

NOWHERE = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-00000000dead"
OF_A_DISABLED_KEY = {("DisabledException", 400)}
OF_A_KEY_PENDING_DELETION = {("DisabledException", 400), ("KMSInvalidStateException", 400)}
NOT_ENABLED = [(disable, OF_A_DISABLED_KEY), (end, OF_A_KEY_PENDING_DELETION)]
Use = Callable[[Any, str], Any]
Refusals = set[tuple[str, int]]
by_id = pytest.mark.deviates(moto="DisableKey and ScheduleKeyDeletion find no key by its ARN")


@pytest.fixture
def arn(cloud: Cloud) -> str:
    """A new key."""
    return str(create(cloud)["Arn"])


def test_a_new_key_is_as_it_was_requested(cloud: Cloud) -> None:
    """CreateKey and DescribeKey say the same of it; it has no grants, and the requested policy."""
    created = create(cloud)
    arn = created["Arn"]
    described = cloud.clients.kms.describe_key(KeyId=arn)["KeyMetadata"]
    for metadata in (created, described):
        assert metadata["Arn"] == arn
        assert metadata["KeyState"] == "Enabled"
        assert metadata["CreationDate"] == created["CreationDate"]
        assert (metadata["KeySpec"], metadata["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
        assert metadata["Origin"] == "AWS_KMS"
        assert not metadata.get("MultiRegion")
    assert arn.startswith("arn:aws:kms:us-east-1:")
    assert abs(created["CreationDate"] - cloud.began) < timedelta(minutes=10)
    grants = cloud.clients.kms.list_grants(KeyId=arn)
    assert (grants["Grants"], grants["Truncated"]) == ([], False)
    stored = cloud.clients.kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
    assert is_same_policy(stored, policy())


def test_create_has_no_idempotency(cloud: Cloud) -> None:
    """The same call again creates another key."""
    assert create(cloud, op_id="op-2")["Arn"] != create(cloud, op_id="op-2")["Arn"]


def test_the_public_key_is_rsa_2048(cloud: Cloud, arn: str) -> None:
    """It is SubjectPublicKeyInfo in DER, and always the same."""
    key = public(cloud.clients.kms, arn)
    assert (key.key_size, key.public_numbers().e) == (2048, 65537)
    assert public(cloud.clients.kms, arn) == key


@pytest.mark.parametrize("length", [1, 4096])
def test_a_raw_message_is_signed(cloud: Cloud, arn: str, length: int) -> None:
    """The signature is RS256 over the message, which may have up to 4,096 bytes."""
    message = b"x" * length
    signature = sign(cloud.clients.kms, arn, message)
    assert verifies(public(cloud.clients.kms, arn), signature, message)


@pytest.mark.deviates(moto="signs any length", ministack="signs any length")
def test_a_longer_raw_message_is_refused(cloud: Cloud, arn: str) -> None:
    """A message of 4,097 bytes is refused."""
    refusal = refused(partial(sign, cloud.clients.kms, arn, b"x" * 4097))
    assert refusal == ("ValidationException", 400)


@pytest.mark.deviates(moto="hashes a DIGEST again")
def test_a_digest_is_signed(cloud: Cloud, arn: str) -> None:
    """The signature is the one over the message itself."""
    message = b"x" * 5000
    signature = sign(cloud.clients.kms, arn, hashlib.sha256(message).digest(), kind="DIGEST")
    assert verifies(public(cloud.clients.kms, arn), signature, message)


@pytest.mark.parametrize("length", [31, 33])
@pytest.mark.deviates(moto="signs any length")
def test_a_digest_has_32_bytes(cloud: Cloud, arn: str, length: int) -> None:
    """Only the length of a SHA-256 is accepted."""
    refusal = refused(partial(sign, cloud.clients.kms, arn, b"x" * length, kind="DIGEST"))
    assert refusal == ("ValidationException", 400)


@by_id
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([disable], "Disabled"),
        ([disable, disable], "Disabled"),
        ([end], "PendingDeletion"),
        ([partial(end, days=30)], "PendingDeletion"),
        ([disable, end], "PendingDeletion"),
    ],
    ids=["disabled", "disabled twice", "ended in 7 days", "ended in 30 days", "disabled, ended"],
)
def test_a_key_changes_its_state(cloud: Cloud, arn: str, changes: list[Use], expected: str) -> None:
    """DescribeKey answers in every state."""
    for change in changes:
        change(cloud.clients.kms, arn)
    assert state(cloud, arn) == expected


@pytest.mark.parametrize("days", [6, 31])
@pytest.mark.deviates(moto="ignores the window")
def test_the_window_is_7_to_30_days(cloud: Cloud, arn: str, days: int) -> None:
    """Anything else is refused, and the key stays enabled."""
    refusal = refused(partial(end, cloud.clients.kms, arn, days))
    assert refusal == ("ValidationException", 400)
    assert state(cloud, arn) == "Enabled"


@by_id
@pytest.mark.parametrize(("change", "refusals"), NOT_ENABLED)
def test_a_key_that_is_not_enabled_cannot_sign(
    cloud: Cloud, arn: str, change: Use, refusals: Refusals
) -> None:
    """This holds for every caller."""
    change(cloud.clients.kms, arn)
    assert refused(partial(sign, cloud.clients.kms, arn)) in refusals


@by_id
@pytest.mark.parametrize(("change", "refusals"), NOT_ENABLED)
@pytest.mark.deviates(ministack="GetPublicKey answers for keys disabled or pending deletion")
def test_a_key_that_is_not_enabled_cannot_verify(
    cloud: Cloud, arn: str, change: Use, refusals: Refusals
) -> None:
    """A container that has not read its public key yet never gets it."""
    change(cloud.clients.kms, arn)
    assert refused(partial(public, cloud.clients.kms, arn)) in refusals


@by_id
@pytest.mark.parametrize("change", [disable, end])
@pytest.mark.deviates(ministack="a key that is pending deletion can be disabled, and ended again")
def test_a_key_pending_deletion_stays_so(cloud: Cloud, arn: str, change: Use) -> None:
    """It can be neither disabled nor scheduled again."""
    end(cloud.clients.kms, arn)
    refusal = refused(partial(change, cloud.clients.kms, arn))
    assert refusal == ("KMSInvalidStateException", 400)
    assert state(cloud, arn) == "PendingDeletion"


@pytest.mark.parametrize("call", [describe, public, sign, disable, end])
def test_an_unknown_key_is_refused(cloud: Cloud, call: Use) -> None:
    """It never existed, or was deleted for good."""
    refusal = refused(partial(call, cloud.clients.kms, NOWHERE))
    assert refusal == ("NotFoundException", 400)


def test_keys_are_found_by_their_stack(cloud: Cloud) -> None:
    """They have both tags; a stack without keys has an empty list."""
    stack = cloud.fresh("stack-")
    assert tagged(cloud, stack) == {}
    create(cloud, f"{stack}-beside")
    arns = {create(cloud, stack, op_id)["Arn"]: op_id for op_id in ("op-1", "op-2", "op-3")}
    assert tagged(cloud, stack) == {
        arn: {"keyturn:stack": stack, "keyturn:op_id": op_id} for arn, op_id in arns.items()
    }


@by_id
def test_a_key_pending_deletion_is_still_found(cloud: Cloud) -> None:
    """It keeps its tags."""
    stack = cloud.fresh("stack-")
    arn = create(cloud, stack)["Arn"]
    end(cloud.clients.kms, arn)
    assert set(tagged(cloud, stack)) == {arn}


def verify(cloud: Cloud, arn: str, signature: bytes) -> Any:
    """Verify as `keyturn verify --kms` calls it."""
    return cloud.clients.kms.verify(
        KeyId=arn,
        Message=b"text",
        MessageType="RAW",
        Signature=signature,
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )


def test_kms_verifies_its_own_signature(cloud: Cloud, arn: str) -> None:
    """The answer says so."""
    assert verify(cloud, arn, sign(cloud.clients.kms, arn))["SignatureValid"] is True


@pytest.mark.deviates(moto="answers that the signature is not valid")
def test_kms_refuses_another_keys_signature(cloud: Cloud, arn: str) -> None:
    """The answer is an error, not `SignatureValid: False`."""
    other = sign(cloud.clients.kms, create(cloud)["Arn"])
    assert refused(partial(verify, cloud, arn, other)) == ("KMSInvalidSignatureException", 400)
