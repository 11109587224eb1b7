"""The signing keys in KMS: creation, signatures, destruction, and which keys are the stack's own."""

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn.aws.faults import AccessDenied, AwsFault, KeyUnusable, NoReply, Throttled
from keyturn.aws.keyset.key_policy import key_policy
from keyturn.aws.keyset.kms_keys import ForeignKey
from keyturn.tokens.jwk import NotASigningKey
from keyturn.tokens.verify import has_signature
from tests.permissions.key_policy import Principal

RS256 = "RSASSA_PKCS1_V1_5_SHA_256"


@pytest.fixture
def kms(stack):
    """The adapter under test."""
    return stack.kms


@pytest.fixture
def key(kms, aws):
    """One of the stack's keys; the wire is clear."""
    key = kms.create()
    aws.reset()
    return key


def test_a_key_is_created_with_its_policy_and_its_tag(kms, aws, cloud, clock, settings):
    """It is RSA_2048 for SIGN_VERIFY, and its own policy applies from the first moment."""
    key = kms.create()
    [params] = aws.params("kms:CreateKey")
    assert (params["KeySpec"], params["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
    assert params["Tags"] == [{"TagKey": "keyturn:stack", "TagValue": "demo"}]
    # The role that creates the key may not change its policy.
    assert params["BypassPolicyLockoutSafetyCheck"] is True
    assert cloud.kms.keys[key.arn].policy.text == key_policy(settings.role_prefix)
    assert aws.operations == ["kms:CreateKey"]
    assert (key.created, key.enabled, key.pending_deletion) == (clock.now(), True, False)


@pytest.mark.parametrize("after", [True, False], ids=["took effect", "had no effect"])
def test_create_key_is_attempted_once(kms, aws, cloud, after):
    """CreateKey has no idempotency token: botocore must not repeat it after a timeout."""
    aws.fail("kms:CreateKey", aws.timeout, after=after)
    with pytest.raises(NoReply, match="kms:CreateKey: ReadTimeoutError"):
        kms.create()
    assert aws.attempts == ["kms:CreateKey"]
    assert len(cloud.kms.keys) == after


@pytest.mark.parametrize("size", [1, 4096, 4097, 8192])
def test_a_message_is_signed_with_rs256(kms, key, aws, size):
    """KMS takes up to 4,096 bytes as RAW; a longer message is signed by its SHA-256."""
    message = b"x" * size
    aws.fail("kms:Sign", aws.timeout)  # botocore repeats it
    signature = kms.sign(key.arn, message)
    assert has_signature(kms.public_jwk(key.arn).public_key(), signature, message)
    kind, payload = (
        ("RAW", message) if size <= 4096 else ("DIGEST", hashlib.sha256(message).digest())
    )
    assert aws.params("kms:Sign") == [
        {"KeyId": key.arn, "Message": payload, "MessageType": kind, "SigningAlgorithm": RS256}
    ]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DisabledException", KeyUnusable),
        ("ThrottlingException", Throttled),
        ("AccessDeniedException", AccessDenied),
    ],
)
@pytest.mark.parametrize("call", ["Sign", "GetPublicKey", "DescribeKey"])
def test_an_error_of_kms_is_a_fault_that_names_the_call(kms, key, aws, code, kind, call):
    """tests/unit/aws/test_faults.py has every code."""
    aws.fail(f"kms:{call}", aws.error(code), times=9)
    acts = {
        "Sign": lambda: kms.sign(key.arn, b"text"),
        "GetPublicKey": lambda: kms.public_jwk(key.arn),
        "DescribeKey": lambda: kms.describe(key.arn),
    }
    with pytest.raises(AwsFault) as raised:
        acts[call]()
    assert (type(raised.value), str(raised.value)) == (kind, f"kms:{call}: {code}")


@pytest.mark.parametrize(
    "private",
    [rsa.generate_private_key(65_537, 3072), ec.generate_private_key(ec.SECP256R1())],
    ids=["RSA_3072", "ECC_NIST_P256"],
)
def test_a_public_key_of_another_kind_is_refused(kms, key, cloud, private):
    """Only RSA_2048 is a signing key."""
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    cloud.kms.keys[key.arn].der = der
    with pytest.raises(NotASigningKey):
        kms.public_jwk(key.arn)


def test_a_key_is_disabled_before_its_deletion_is_scheduled(kms, key, aws, cloud):
    """It cannot sign any more; a second call does not move the date."""
    kms.destroy(key.arn, window=7)
    assert aws.operations == ["kms:DescribeKey", "kms:DisableKey", "kms:ScheduleKeyDeletion"]
    assert aws.params("kms:ScheduleKeyDeletion") == [{"KeyId": key.arn, "PendingWindowInDays": 7}]
    assert cloud.kms.state(key.arn) == "PendingDeletion"
    aws.reset()
    kms.destroy(key.arn, window=30)
    assert aws.operations == ["kms:DescribeKey"]


def test_an_interrupted_destruction_is_completed(kms, key, aws):
    """If the key was only disabled, the next attempt schedules its deletion."""
    aws.fail("kms:ScheduleKeyDeletion", aws.error("KMSInternalException", 500))
    with pytest.raises(NoReply):
        kms.destroy(key.arn, window=7)
    assert not kms.describe(key.arn).enabled
    aws.reset()
    kms.destroy(key.arn, window=7)
    assert aws.operations == ["kms:DescribeKey", "kms:ScheduleKeyDeletion"]
    assert kms.describe(key.arn).pending_deletion


def _grant(kms, arn):
    kms.lend(arn, Principal("arn:aws:iam::123456789012:role/thief"), "kms:Sign")


def _open_to_any_role(kms, arn):
    policy = json.loads(kms.keys[arn].policy.text)
    policy["Statement"][0]["Condition"]["ArnLike"]["aws:PrincipalArn"].append("*")
    kms.set_policy(arn, json.dumps(policy))


def _delegate_to_iam(kms, arn):
    policy = json.loads(kms.keys[arn].policy.text)
    policy["Statement"][-1]["Action"] = "kms:*"
    kms.set_policy(arn, json.dumps(policy))


def _leave(kms, arn):
    pass


FOREIGN: dict[str, tuple[dict[str, Any], Any]] = {
    "of another spec": ({"KeySpec": "RSA_3072"}, _leave),
    "of another curve": ({"KeySpec": "ECC_NIST_P256"}, _leave),
    "symmetric": ({"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}, _leave),
    "for encryption": ({"KeyUsage": "ENCRYPT_DECRYPT"}, _leave),
    "with imported material": ({"Origin": "EXTERNAL"}, _leave),
    "multi-Region": ({"MultiRegion": True}, _leave),
    "with a grant": ({}, _grant),
    "open to any role": ({}, _open_to_any_role),
    "delegated to IAM": ({}, _delegate_to_iam),
}


@pytest.mark.parametrize(("arguments", "change"), FOREIGN.values(), ids=FOREIGN)
def test_a_key_that_differs_in_anything_is_foreign(kms, key, cloud, settings, arguments, change):
    """Its tag proves nothing: it is neither listed nor registered."""
    arn = cloud.kms.create_tagged("demo", key_policy(settings.role_prefix), **arguments)
    change(cloud.kms, arn)
    assert kms.list_own() == [key]
    with pytest.raises(ForeignKey, match=arn):
        kms.check_own(kms.describe(arn))


def test_a_key_is_own_however_kms_formats_its_policy(kms, key, cloud, settings):
    """KMS keeps what a policy says, not how it is written."""
    policy = json.loads(key_policy(settings.role_prefix))
    text = json.dumps({**policy, "Statement": policy["Statement"][::-1]}, indent=2)
    cloud.kms.set_policy(key.arn, text)
    kms.check_own(key)
    assert kms.list_own() == [key]


def test_a_key_with_a_second_page_of_grants_is_foreign(kms, key, monkeypatch):
    """A page may be empty and not the last one."""
    page = {"Grants": [], "Truncated": True}
    monkeypatch.setattr(kms._clients.kms, "list_grants", lambda **_: page)
    with pytest.raises(ForeignKey):
        kms.check_own(key)


def test_own_keys_have_the_stack_s_tag(kms, key, cloud, settings):
    """All pages and all states are listed, but no keys of other stacks and no untagged ones."""
    second = kms.create()
    kms.destroy(second.arn, window=7)
    policy = key_policy(settings.role_prefix)
    cloud.kms.create_tagged("other", policy)
    cloud.kms.create([], policy)
    assert kms.list_own() == [key, kms.describe(second.arn)]


def test_a_key_pending_deletion_costs_one_call(kms, key, aws):
    """There may be hundreds of them, and nothing more is done with them."""
    kms.destroy(key.arn, window=7)
    aws.reset()
    kms.list_own()
    assert aws.operations == ["tag:GetResources", "kms:DescribeKey"]


def test_excluded_keys_cost_no_call(kms, key, aws):
    """KMS is asked only about the others."""
    second = kms.create()
    aws.reset()
    assert kms.list_own(excluding={key.arn}) == [second]
    assert {params["KeyId"] for _, params in aws.calls if "KeyId" in params} == {second.arn}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("DescribeKey", "NotFoundException"),  # its tag has outlived it
        *(
            (call, "AccessDeniedException")
            for call in ("DescribeKey", "GetKeyPolicy", "ListGrants")
        ),
    ],
)
def test_a_key_that_is_gone_or_denied_to_us_is_skipped(kms, key, aws, call, code):
    """The others are listed; any other error with a key is a fault."""
    second = kms.create()
    aws.fail(f"kms:{call}", aws.error(code))
    assert kms.list_own() == [second]
    aws.fail(f"kms:{call}", aws.error("ThrottlingException"), times=9)
    with pytest.raises(Throttled):
        kms.list_own()
