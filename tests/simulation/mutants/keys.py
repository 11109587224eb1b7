"""Mutants of what makes a KMS key the stack's own: its policy, and how it is recognized."""

import json
from contextlib import suppress
from dataclasses import replace

from keyturn.aws.faults import AwsFault, KeyUnusable
from keyturn.aws.keyset import kms_keys
from keyturn.aws.keyset.kms_keys import ForeignKey, KmsKeys
from keyturn.keyset.errors import KeysetError
from keyturn.keyset.transitions import register
from keyturn.rotation import create_key, reconcile
from tests.permissions.key_policy import default_policy
from tests.simulation.mutants.patching import around, instead_of


@around("key_policy", kms_keys)
def iam_may_use_the_keys(real, prefix):
    """As with KMS's default policy, each action is left to IAM."""
    policy = json.loads(real(prefix))
    policy["Statement"] += json.loads(default_policy())["Statement"]
    return json.dumps(policy)


@around("key_policy", kms_keys)
def iam_may_lend_the_keys(real, prefix):
    """An administrator's statement as it is often copied, with kms:CreateGrant."""
    policy = json.loads(real(prefix))
    policy["Statement"][-1]["Action"].append("kms:CreateGrant")
    return json.dumps(policy)


@around("key_policy", kms_keys)
def the_issuer_of_any_stack_signs(real, prefix):
    """The pattern of the role leaves the stack's name open."""
    policy = json.loads(real(prefix))
    pattern = "arn:aws:iam::123456789012:role/keyturn/us-east-1/sim*/IssueTokenFunctionRole/*"
    policy["Statement"][0]["Condition"]["ArnLike"]["aws:PrincipalArn"] = pattern
    return json.dumps(policy)


@instead_of("check_own", KmsKeys)
def whatever_is_tagged_is_ours(_self, _key):
    """The tag alone proves it."""


@instead_of("_has_our_policy", KmsKeys)
def another_policy_is_ours(_self, _arn):
    """Only the key's kind and its grants are checked."""
    return True


@instead_of("_has_no_grants", KmsKeys)
def a_key_that_is_lent_is_ours(_self, _arn):
    """Grants are not checked."""
    return True


@around("_kms_key", kms_keys)
def a_key_of_any_kind_is_ours(real, metadata):
    """Neither spec nor usage nor origin is checked."""
    return replace(real(metadata), has_our_spec=True)


@instead_of("_find_own", KmsKeys)
def a_key_that_denies_us_ends_the_sweep(kms, arn):
    """The sweep takes any refusal for a fault of its own."""
    try:
        key = kms.describe(arn)
        kms.check_own(key)
    except (KeyUnusable, ForeignKey):
        return None
    return key


@around("ensure_standby", create_key, reconcile)
def a_tagged_key_is_adopted(real, stack, origin, **options):
    """As it was: an enabled key with our tag that no keyset lists is taken for a lost attempt of ours."""
    keyset = stack.keysets.read().keyset
    known = {key.kms_key_arn for key in keyset.all_keys}
    with whatever_is_tagged_is_ours():
        tagged = stack.kms.list_own(excluding=known)
    for key in tagged:
        if keyset.standby is None and key.enabled:
            with suppress(AwsFault, KeysetError):
                _register(stack, origin, key)
    return real(stack, origin, **options)


def _register(stack, origin, key) -> None:
    kid = stack.kms.public_jwk(key.arn).kid
    lifetime, limits = stack.times.token_lifetime, stack.limits
    stack.keysets.update(
        lambda keyset, now: register(
            keyset, kid, key.arn, now, created=key.created, lifetime=lifetime, limits=limits
        ),
        origin,
    )
