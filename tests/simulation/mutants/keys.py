"""Mutants of what makes a KMS key the stack's own: its policy, and how it is recognized."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from keyturn.aws.faults import AwsFault, KeyUnusable
from keyturn.aws.keyset import key_policy, kms_keys
from keyturn.aws.keyset.kms_keys import ForeignKey, KmsKeys
from keyturn.keyset.errors import KeysetError
from keyturn.keyset.transitions import register
from keyturn.rotation import create_key, reconcile
from tests.permissions.key_policy import default_policy
from tests.simulation.mutants.patching import everywhere


def iam_may_use_the_keys() -> AbstractContextManager[Any]:
    """As with KMS's default policy: each action is left to IAM."""

    def add(policy: Any) -> None:
        policy["Statement"] += json.loads(default_policy())["Statement"]

    return _another_policy(add)


def iam_may_lend_the_keys() -> AbstractContextManager[Any]:
    """An administrator's statement as it is often copied: with kms:CreateGrant."""

    def add(policy: Any) -> None:
        policy["Statement"][-1]["Action"].append("kms:CreateGrant")

    return _another_policy(add)


def the_issuer_of_any_stack_signs() -> AbstractContextManager[Any]:
    """The pattern of the role leaves the stack's name open."""

    def widen(policy: Any) -> None:
        pattern = "arn:aws:iam::123456789012:role/keyturn/us-east-1/sim*/IssueTokenFunctionRole/*"
        policy["Statement"][0]["Condition"]["ArnLike"]["aws:PrincipalArn"] = pattern

    return _another_policy(widen)


def whatever_is_tagged_is_ours() -> AbstractContextManager[Any]:
    """The tag proves it."""
    return patch.object(KmsKeys, "check_own", lambda _self, _key: None)


def another_policy_is_ours() -> AbstractContextManager[Any]:
    """Only the key's kind and its grants are looked at."""
    return patch.object(KmsKeys, "_has_our_policy", lambda _self, _arn: True)


def a_key_that_is_lent_is_ours() -> AbstractContextManager[Any]:
    """Grants are not looked at."""
    return patch.object(KmsKeys, "_has_no_grants", lambda _self, _arn: True)


def a_key_of_any_kind_is_ours() -> AbstractContextManager[Any]:
    """Neither spec nor usage nor origin is looked at."""
    real = kms_keys._kms_key
    return patch.object(kms_keys, "_kms_key", lambda told: replace(real(told), has_our_spec=True))


def a_key_that_denies_us_ends_the_sweep() -> AbstractContextManager[Any]:
    """It takes any refusal for trouble of its own."""

    def find_own(kms: Any, arn: str) -> Any:
        try:
            key = kms.describe(arn)
            kms.check_own(key)
        except (KeyUnusable, ForeignKey):
            return None
        return key

    return patch.object(KmsKeys, "_find_own", find_own)


def a_tagged_key_is_adopted() -> AbstractContextManager[Any]:
    """As it was: an enabled key with our tag that no keyset lists must be a lost attempt of ours."""

    def ensure(stack: Any, origin: Any, **options: Any) -> Any:
        keyset = stack.keysets.read().keyset
        known = {key.kms_key_arn for key in keyset.all_keys}
        with whatever_is_tagged_is_ours():
            tagged = stack.kms.list_own(excluding=known)
        for key in tagged:
            if keyset.standby is None and key.enabled:
                with suppress(AwsFault, KeysetError):
                    _register(stack, origin, stack.kms.public_jwk(key.arn).kid, key)
        return real(stack, origin, **options)

    real = create_key.ensure_standby
    return everywhere("ensure_standby", ensure, create_key, reconcile)


def _register(stack: Any, origin: Any, kid: str, key: Any) -> None:
    lifetime, limits = stack.times.token_lifetime, stack.limits
    stack.keysets.update(
        lambda keyset, now: register(
            keyset, kid, key.arn, now, created=key.created, lifetime=lifetime, limits=limits
        ),
        origin,
    )


def _another_policy(change: Callable[[Any], None]) -> AbstractContextManager[Any]:
    """Keys are born with a policy after `change`, and recognized by it."""

    def policy(prefix: str) -> str:
        document = json.loads(real(prefix))
        change(document)
        return json.dumps(document)

    real = key_policy.key_policy
    return patch.object(kms_keys, "key_policy", policy)
