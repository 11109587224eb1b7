"""The signing keys in KMS: how they are born, how they sign, how they go, which ones are ours."""

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


@pytest.fixture
def kms(stack):
    """The adapter under test."""
    return stack.kms


@pytest.fixture
def key(kms, aws):
    """A key of ours; the wire is clear."""
    key = kms.create()
    aws.reset()
    return key


def test_a_key_is_born_with_its_policy_and_its_tag(kms, aws, cloud, clock, settings):
    """RSA_2048 for SIGN_VERIFY, governed by its own policy from the first moment."""
    key = kms.create()
    [params] = aws.params("kms:CreateKey")
    assert {name: params[name] for name in ("KeySpec", "KeyUsage")} == {
        "KeySpec": "RSA_2048",
        "KeyUsage": "SIGN_VERIFY",
    }
    assert params["Tags"] == [{"TagKey": "keyturn:stack", "TagValue": "demo"}]
    assert (
        params["BypassPolicyLockoutSafetyCheck"] is True
    )  # who creates it may not change its policy
    policy = cloud.kms.keys[key.arn].policy.text
    assert policy == key_policy(settings.role_prefix)
    assert aws.operations == ["kms:CreateKey"]
    assert (key.created, key.enabled, key.pending_deletion) == (clock.now(), True, False)
    assert list(cloud.kms.keys) == [key.arn]


@pytest.mark.parametrize("after", [True, False], ids=["had its effect", "had none"])
def test_create_key_is_attempted_once(kms, aws, cloud, after):
    """CreateKey has no idempotency token: botocore must not repeat a timeout."""
    aws.fail("kms:CreateKey", aws.timeout, after=after)
    with pytest.raises(NoReply, match="kms:CreateKey: ReadTimeoutError"):
        kms.create()
    assert aws.attempts == ["kms:CreateKey"]
    assert len(cloud.kms.keys) == after


def test_what_may_be_repeated_is_repeated(kms, key, aws):
    """Signing twice harms nobody: one timeout is bridged by botocore."""
    aws.fail("kms:Sign", aws.timeout)
    assert len(kms.sign(key.arn, b"text")) == 256
    assert aws.attempts == ["kms:Sign"] * 2


@pytest.mark.parametrize("size", [1, 4096])
def test_a_short_message_is_signed_raw(kms, key, aws, size):
    """Up to 4,096 bytes KMS hashes itself; the signature is RS256."""
    message = b"x" * size
    signature = kms.sign(key.arn, message)
    assert has_signature(kms.public_jwk(key.arn).public_key(), signature, message)
    assert aws.params("kms:Sign") == [
        {
            "KeyId": key.arn,
            "Message": message,
            "MessageType": "RAW",
            "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
        }
    ]


@pytest.mark.parametrize("size", [4097, 8192])
def test_a_long_message_is_signed_by_its_digest(kms, key, aws, size):
    """KMS takes no more than 4,096 bytes as RAW, so it gets the SHA-256 of more."""
    message = b"x" * size
    kms.sign(key.arn, message)
    [params] = aws.params("kms:Sign")
    assert (params["MessageType"], params["Message"]) == (
        "DIGEST",
        hashlib.sha256(message).digest(),
    )
    assert params["SigningAlgorithm"] == "RSASSA_PKCS1_V1_5_SHA_256"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DisabledException", KeyUnusable),
        ("KMSInvalidStateException", KeyUnusable),
        ("NotFoundException", KeyUnusable),
        ("ThrottlingException", Throttled),
        ("AccessDeniedException", AccessDenied),
    ],
)
@pytest.mark.parametrize("call", ["Sign", "GetPublicKey", "DescribeKey"])
def test_refusals_of_kms_are_translated(kms, key, aws, code, kind, call):
    """Each has one kind, and names call and code."""
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
def test_a_key_of_another_kind_is_no_signing_key(kms, key, cloud, private):
    """Only RSA_2048 is one."""
    public = private.public_key()
    cloud.kms.keys[key.arn].der = public.public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(NotASigningKey):
        kms.public_jwk(key.arn)


def test_a_key_is_disabled_before_its_deletion_is_scheduled(kms, key, aws, cloud):
    """It cannot sign from now on, and goes after the window that was set."""
    kms.destroy(key.arn, window=7)
    assert aws.operations == ["kms:DescribeKey", "kms:DisableKey", "kms:ScheduleKeyDeletion"]
    assert aws.params("kms:ScheduleKeyDeletion") == [{"KeyId": key.arn, "PendingWindowInDays": 7}]
    assert cloud.kms.state(key.arn) == "PendingDeletion"


def test_destroying_again_changes_nothing(kms, key, aws):
    """A key that is pending deletion is left so: its date does not move."""
    kms.destroy(key.arn, window=7)
    aws.reset()
    kms.destroy(key.arn, window=30)
    assert aws.operations == ["kms:DescribeKey"]


def test_an_interrupted_destruction_is_completed(kms, key, aws, cloud):
    """A key that was only disabled gets its deletion scheduled by the next attempt."""
    aws.fail("kms:ScheduleKeyDeletion", aws.error("KMSInternalException", 500))
    with pytest.raises(NoReply):
        kms.destroy(key.arn, window=7)
    assert not kms.describe(key.arn).enabled
    aws.reset()
    kms.destroy(key.arn, window=7)
    assert aws.operations == ["kms:DescribeKey", "kms:ScheduleKeyDeletion"]
    assert kms.describe(key.arn).pending_deletion


def _granted(kms, arn):
    kms.lend(arn, Principal("arn:aws:iam::123456789012:role/thief"), "kms:Sign")


def _opened(kms, arn):
    policy = json.loads(kms.keys[arn].policy.text)
    policy["Statement"][0]["Condition"]["ArnLike"]["aws:PrincipalArn"].append("*")
    kms.set_policy(arn, json.dumps(policy))


def _delegating(kms, arn):
    policy = json.loads(kms.keys[arn].policy.text)
    policy["Statement"][-1]["Action"] = "kms:*"
    kms.set_policy(arn, json.dumps(policy))


FOREIGN: dict[str, tuple[dict[str, Any], Any]] = {
    "of another spec": ({"KeySpec": "RSA_3072"}, None),
    "of another curve": ({"KeySpec": "ECC_NIST_P256"}, None),
    "symmetric": ({"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}, None),
    "for encryption": ({"KeyUsage": "ENCRYPT_DECRYPT"}, None),
    "of imported material": ({"Origin": "EXTERNAL"}, None),
    "of several Regions": ({"MultiRegion": True}, None),
    "lent to another": ({}, _granted),
    "open to another": ({}, _opened),
    "left to IAM": ({}, _delegating),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_key_that_differs_in_anything_is_not_ours(kms, key, cloud, settings, kind):
    """Whatever tag it bears: it is neither listed nor registered."""
    arguments, change = FOREIGN[kind]
    arn = cloud.kms.create_tagged("demo", key_policy(settings.role_prefix), **arguments)
    if change:
        change(cloud.kms, arn)
    assert [found.arn for found in kms.list_own()] == [key.arn]
    with pytest.raises(ForeignKey, match=arn):
        kms.check_own(kms.describe(arn))


def test_a_key_is_ours_however_kms_writes_its_policy(kms, key, cloud, settings):
    """KMS keeps what a policy says, not how it is written."""
    policy = json.loads(key_policy(settings.role_prefix))
    written = json.dumps({**policy, "Statement": policy["Statement"][::-1]}, indent=2)
    cloud.kms.set_policy(key.arn, written)
    kms.check_own(key)
    assert kms.list_own() == [key]


def test_grants_on_a_later_page_are_grants(kms, key, monkeypatch):
    """A page may be empty and not the last one."""
    page = {"Grants": [], "Truncated": True}
    monkeypatch.setattr(kms._clients.kms, "list_grants", lambda **_: page)
    with pytest.raises(ForeignKey):
        kms.check_own(key)


def test_our_keys_are_those_with_the_stacks_tag(kms, key, cloud, settings):
    """Of all pages, and in every state; keys of other stacks and untagged ones are not listed."""
    second = kms.create()
    kms.destroy(second.arn, window=7)
    policy = key_policy(settings.role_prefix)
    cloud.kms.create_tagged("other", policy)
    cloud.kms.create([], policy)
    found = {found.arn: found for found in kms.list_own()}
    assert set(found) == {key.arn, second.arn}
    assert found[key.arn] == key
    assert found[second.arn].pending_deletion


def test_a_dying_key_is_not_looked_at_any_closer(kms, key, aws):
    """There may be hundreds of them, and nothing is done with them any more."""
    kms.destroy(key.arn, window=7)
    aws.reset()
    kms.list_own()
    assert aws.operations == ["tag:GetResources", "kms:DescribeKey"]


def test_keys_that_are_known_already_are_not_asked_for(kms, key, aws):
    """KMS is asked about the others only."""
    second = kms.create()
    aws.reset()
    assert [found.arn for found in kms.list_own(excluding={key.arn})] == [second.arn]
    assert {params["KeyId"] for _, params in aws.calls if "KeyId" in params} == {second.arn}


def test_a_tag_may_outlive_its_key(kms, key, aws):
    """A key that is gone is passed over."""
    aws.fail("kms:DescribeKey", aws.error("NotFoundException"))
    assert kms.list_own() == []


@pytest.mark.parametrize("call", ["DescribeKey", "GetKeyPolicy", "ListGrants"])
def test_a_key_whose_policy_does_not_name_us_is_anothers(kms, key, aws, call):
    """It is passed over, and the others are listed; any other trouble with a key is raised."""
    second = kms.create()
    aws.fail(f"kms:{call}", aws.error("AccessDeniedException"))
    [found] = kms.list_own()
    assert found in (key, second)
    aws.fail(f"kms:{call}", aws.error("ThrottlingException"), times=9)
    with pytest.raises(Throttled):
        kms.list_own()
