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
OF_A_DYING_KEY = {("DisabledException", 400), ("KMSInvalidStateException", 400)}
NOT_ENABLED = [(disable, OF_A_DISABLED_KEY), (end, OF_A_DYING_KEY)]
Use = Callable[[Any, str], Any]
Refusals = set[tuple[str, int]]
by_id = pytest.mark.deviates(moto="DisableKey and ScheduleKeyDeletion find no key by its ARN")


@pytest.fixture
def arn(cloud: Cloud) -> str:
    """A new key."""
    return str(create(cloud)["Arn"])


def test_a_new_key_is_enabled(cloud: Cloud) -> None:
    """CreateKey and DescribeKey say the same of it; its birth is an aware instant, just now."""
    made = create(cloud)
    assert made["Arn"].startswith("arn:aws:kms:us-east-1:")
    assert made["KeyState"] == "Enabled"
    assert abs(made["CreationDate"] - cloud.began) < timedelta(minutes=10)
    told = cloud.clients.kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]
    for field in ("Arn", "CreationDate", "KeyState"):
        assert told[field] == made[field]


def test_a_key_keeps_the_policy_that_it_was_created_with(cloud: Cloud, arn: str) -> None:
    """GetKeyPolicy says the same."""
    told = cloud.clients.kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
    assert is_same_policy(told, policy())


def test_a_new_key_has_no_grants(cloud: Cloud, arn: str) -> None:
    """ListGrants has one page, and it is empty."""
    answer = cloud.clients.kms.list_grants(KeyId=arn)
    assert (answer["Grants"], answer["Truncated"]) == ([], False)


def test_a_new_key_says_what_it_is(cloud: Cloud) -> None:
    """CreateKey and DescribeKey name spec, usage and where the material comes from."""
    made = create(cloud)
    told = cloud.clients.kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]
    for metadata in (made, told):
        assert (metadata["KeySpec"], metadata["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
        assert metadata["Origin"] == "AWS_KMS"
        assert not metadata.get("MultiRegion")


def test_create_has_no_idempotency(cloud: Cloud) -> None:
    """The same call again is another key."""
    assert create(cloud, op_id="op-2")["Arn"] != create(cloud, op_id="op-2")["Arn"]


def test_the_public_key_is_rsa_2048(cloud: Cloud, arn: str) -> None:
    """As SubjectPublicKeyInfo in DER, the same each time."""
    key = public(cloud.clients.kms, arn)
    assert (key.key_size, key.public_numbers().e) == (2048, 65537)
    assert public(cloud.clients.kms, arn) == key


@pytest.mark.parametrize("length", [1, 4096])
def test_a_raw_message_is_signed(cloud: Cloud, arn: str, length: int) -> None:
    """RS256 over the message; 4,096 bytes are the most."""
    message = b"x" * length
    signature = sign(cloud.clients.kms, arn, message)
    assert verifies(public(cloud.clients.kms, arn), signature, message)


@pytest.mark.deviates(moto="signs any length", ministack="signs any length")
def test_a_longer_raw_message_is_refused(cloud: Cloud, arn: str) -> None:
    """4,097 bytes."""
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
    """SHA-256's."""
    refusal = refused(partial(sign, cloud.clients.kms, arn, b"x" * length, kind="DIGEST"))
    assert refusal == ("ValidationException", 400)


@by_id
def test_a_key_is_disabled(cloud: Cloud, arn: str) -> None:
    """DescribeKey still answers."""
    disable(cloud.clients.kms, arn)
    assert state(cloud, arn) == "Disabled"


@by_id
def test_disabling_may_be_repeated(cloud: Cloud, arn: str) -> None:
    """It is disabled already."""
    disable(cloud.clients.kms, arn)
    disable(cloud.clients.kms, arn)
    assert state(cloud, arn) == "Disabled"


@by_id
@pytest.mark.parametrize("days", [7, 30])
def test_a_deletion_is_scheduled(cloud: Cloud, arn: str, days: int) -> None:
    """DescribeKey still answers."""
    end(cloud.clients.kms, arn, days)
    assert state(cloud, arn) == "PendingDeletion"


@by_id
def test_a_disabled_key_can_be_deleted(cloud: Cloud, arn: str) -> None:
    """As the product does: disabled first."""
    disable(cloud.clients.kms, arn)
    end(cloud.clients.kms, arn)
    assert state(cloud, arn) == "PendingDeletion"


@pytest.mark.parametrize("days", [6, 31])
@pytest.mark.deviates(moto="ignores the window")
def test_the_window_is_7_to_30_days(cloud: Cloud, arn: str, days: int) -> None:
    """Anything else is refused, and the key lives on."""
    refusal = refused(partial(end, cloud.clients.kms, arn, days))
    assert refusal == ("ValidationException", 400)
    assert state(cloud, arn) == "Enabled"


@by_id
@pytest.mark.parametrize(("change", "refusals"), NOT_ENABLED)
def test_a_key_that_is_not_enabled_cannot_sign(
    cloud: Cloud, arn: str, change: Use, refusals: Refusals
) -> None:
    """Whoever could sign no longer can."""
    change(cloud.clients.kms, arn)
    assert refused(partial(sign, cloud.clients.kms, arn)) in refusals


@by_id
@pytest.mark.parametrize(("change", "refusals"), NOT_ENABLED)
@pytest.mark.deviates(ministack="GetPublicKey answers for keys disabled or pending deletion")
def test_a_key_that_is_not_enabled_cannot_verify(
    cloud: Cloud, arn: str, change: Use, refusals: Refusals
) -> None:
    """A container that does not have its public key yet never gets it."""
    change(cloud.clients.kms, arn)
    assert refused(partial(public, cloud.clients.kms, arn)) in refusals


@by_id
@pytest.mark.parametrize("change", [disable, end])
@pytest.mark.deviates(ministack="a key that is pending deletion can be disabled, and ended again")
def test_a_dying_key_stays_so(cloud: Cloud, arn: str, change: Use) -> None:
    """It can be neither disabled nor scheduled again."""
    end(cloud.clients.kms, arn)
    refusal = refused(partial(change, cloud.clients.kms, arn))
    assert refusal == ("KMSInvalidStateException", 400)
    assert state(cloud, arn) == "PendingDeletion"


@pytest.mark.parametrize("call", [describe, public, sign, disable, end])
def test_there_is_no_such_key(cloud: Cloud, call: Use) -> None:
    """One that never was, or was deleted for good."""
    refusal = refused(partial(call, cloud.clients.kms, NOWHERE))
    assert refusal == ("NotFoundException", 400)


def test_keys_are_found_by_their_stack(cloud: Cloud) -> None:
    """With both tags, and without the keys of another stack."""
    stack = cloud.fresh("stack-")
    create(cloud, f"{stack}-beside")
    arns = {create(cloud, stack, op_id)["Arn"]: op_id for op_id in ("op-1", "op-2", "op-3")}
    assert tagged(cloud, stack) == {
        arn: {"keyturn:stack": stack, "keyturn:op_id": op_id} for arn, op_id in arns.items()
    }


@by_id
def test_a_dying_key_is_still_found(cloud: Cloud) -> None:
    """Its tags outlive its use."""
    stack = cloud.fresh("stack-")
    arn = create(cloud, stack)["Arn"]
    end(cloud.clients.kms, arn)
    assert set(tagged(cloud, stack)) == {arn}


def test_a_stack_without_keys_has_none(cloud: Cloud) -> None:
    """An empty list, no refusal."""
    assert tagged(cloud, cloud.fresh("stack-")) == {}


def verify(cloud: Cloud, arn: str, signature: bytes) -> Any:
    """Verify as `keyturn verify --kms` makes it."""
    return cloud.clients.kms.verify(
        KeyId=arn,
        Message=b"text",
        MessageType="RAW",
        Signature=signature,
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )


def test_kms_verifies_its_own_signature(cloud: Cloud, arn: str) -> None:
    """And says so."""
    assert verify(cloud, arn, sign(cloud.clients.kms, arn))["SignatureValid"] is True


@pytest.mark.deviates(moto="answers that the signature is not valid")
def test_kms_refuses_another_keys_signature(cloud: Cloud, arn: str) -> None:
    """By an error, not by `SignatureValid`."""
    other = sign(cloud.clients.kms, create(cloud)["Arn"])
    assert refused(partial(verify, cloud, arn, other)) == ("KMSInvalidSignatureException", 400)
