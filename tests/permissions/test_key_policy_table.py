"""What the key policy leaves to whom: every KMS action, every role, and everybody else."""

import json

import pytest

from keyturn.aws.keyset.key_policy import key_policy
from tests.permissions import roles
from tests.permissions.key_policy import EVERYTHING, KeyPolicy, Principal, default_policy
from tests.permissions.table import OTHERS, THREAT_MODEL, actions, allowed, with_table
from tests.simulation.principals import ROLE_PREFIX
from tests.simulation.principals import role as simulated_role


def test_the_page_shows_what_the_policy_says():
    """`make docs` writes the table of docs/threat-model.md."""
    page = THREAT_MODEL.read_text()
    assert "<!-- key policy: make docs -->" in page
    assert with_table(page) == page


def test_the_issuer_alone_signs():
    """No other role, and no principal by IAM, whatever IAM allows."""
    assert allowed("Sign") == ["IssueTokenFunctionRole"]


@pytest.mark.parametrize("action", ["CreateGrant", "ReplicateKey", "ImportKeyMaterial", "Decrypt"])
def test_nobody_lends_copies_or_replaces_a_key(action):
    """An administrator cannot either, before the policy is another."""
    assert allowed(action) == []


@pytest.mark.parametrize(
    "action",
    ["DescribeKey", "DisableKey", "EnableKey", "CancelKeyDeletion", "PutKeyPolicy", "GetKeyPolicy"],
)
def test_administrators_recover_a_key(action):
    """Break-glass disables with the operator's own permissions, and no key is ever unmanageable."""
    assert {"power user, `kms:*`", "administrator, `*`"} <= set(allowed(action))


def test_no_role_of_the_stack_can_change_a_policy_or_revive_a_key():
    """Code that runs as one of our functions can neither open a key nor enable a revoked one."""
    for action in ("PutKeyPolicy", "CreateGrant", "EnableKey", "CancelKeyDeletion"):
        assert not set(allowed(action)) - OTHERS.keys()


def test_another_account_may_nothing():
    """The key's policy refuses it however much its own IAM allows."""
    elsewhere = [action for action in actions() if "another account, `*`" in allowed(action)]
    assert elsewhere == []


def test_by_default_iam_would_decide():
    """The evaluation sees what KMS's default policy leaves open."""
    assert {"power user, `kms:*`", "administrator, `*`"} == set(
        allowed("Sign", KeyPolicy(default_policy()))
    )


@pytest.mark.parametrize(
    "prefix",
    [
        "arn:aws:iam::123456789012:role/keyturn/us-east-1/sim-2/",
        "arn:aws:iam::123456789012:role/keyturn/eu-west-1/sim/",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::999999999999:role/keyturn/us-east-1/sim/",
        "arn:aws:iam::123456789012:user/keyturn/us-east-1/sim/",
    ],
)
def test_the_issuer_of_another_stack_does_not_sign(prefix):
    """An issuer of another name, Region or account does not sign; nor does a role of that name without the path."""
    other = Principal(f"{prefix}IssueTokenFunctionRole/x", (EVERYTHING,))
    context = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    policy = KeyPolicy(key_policy(ROLE_PREFIX))
    assert not policy.allows(other, "kms:Sign", "key", context)


def test_a_new_stack_of_the_same_name_goes_on_with_the_keys():
    """Its roles have other names, at the same paths."""
    policy = KeyPolicy(key_policy(ROLE_PREFIX))
    successor = Principal(f"{ROLE_PREFIX}IssueTokenFunctionRole/sim-IssueTokenFunctionRole-ANOTHER")
    context = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    assert policy.allows(successor, "kms:Sign", "key", context)


@pytest.mark.parametrize("algorithm", ["RSASSA_PSS_SHA_256", "RSASSA_PKCS1_V1_5_SHA_512"])
def test_the_issuer_signs_rs256_only(algorithm):
    """Nor anything without an algorithm."""
    issuer, policy = roles.principal_of("IssueTokenFunction"), KeyPolicy(key_policy(ROLE_PREFIX))
    assert not policy.allows(issuer, "kms:Sign", "key", {"kms:SigningAlgorithm": algorithm})
    assert not policy.allows(issuer, "kms:Sign", "key", {})


def test_the_simulator_calls_kms_with_the_templates_roles():
    """Its principals have the paths that template.yaml gives."""
    for function in ("IssueToken", "CreateKey", "Reconcile"):
        path = roles.principal_of(f"{function}Function").arn.rpartition("/")[0]
        assert simulated_role(function).arn.rpartition("/")[0] == path


def test_the_evaluation_refuses_what_it_does_not_know():
    """A Deny, or a service as principal, must not be overlooked."""
    for change in ({"Effect": "Deny"}, {"Principal": {"Service": "s3.amazonaws.com"}}):
        policy = json.loads(default_policy())
        policy["Statement"][0].update(change)
        with pytest.raises(NotImplementedError):
            KeyPolicy(json.dumps(policy)).allows(OTHERS["nobody special"], "kms:Sign", "key", {})
