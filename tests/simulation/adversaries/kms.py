"""Adversaries with one permission in KMS, other than to change a key's policy or IAM.

The bound is none: no such token is ever accepted, and no key of theirs is ever registered, disabled or
deleted (S13: tests/simulation/watch/truth.py; S3: watch/tokens.py).
"""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from keyturn.aws.keyset.key_policy import key_policy
from tests.permissions.key_policy import ACCOUNT, Principal, default_policy
from tests.permissions.policy import Statement
from tests.simulation.play import Play
from tests.simulation.principals import ROLE_PREFIX
from tests.simulation.watch.keys import kid_of

_OUR_TAG = [{"TagKey": "keyturn:stack", "TagValue": "sim"}]


def _holder(name: str, *actions: str) -> Principal:
    """A principal whom IAM allows this on every key, as far as the keys' policies delegate to IAM."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return Principal(arn, (Statement(actions, ("*",), ()),) if actions else ())


SIGNER = _holder("ci", "kms:Sign")
LENDER = _holder("lender", "kms:CreateGrant")
CREATOR = _holder("creator", "kms:CreateKey", "kms:TagResource")
OTHER_ISSUER = Principal(
    f"{ROLE_PREFIX.removesuffix('/')}-2/IssueTokenFunctionRole/sim-2-IssueTokenFunctionRole-1A"
)


def who_may_sign_with_any_key(play: Play, _choose: Random) -> None:
    """`kms:Sign` on `*`, as many a role of a pipeline has it."""
    _sign_with_every_key(play, SIGNER)


def who_may_lend_any_key(play: Play, _choose: Random) -> None:
    """`kms:CreateGrant` on `*`: lends itself each key that it can, and signs."""
    kms = play.world.kms
    for key in play.world.truth.keyset.all_keys:
        if kms.allows(LENDER, "kms:CreateGrant", key.kms_key_arn):
            kms.lend(key.kms_key_arn, LENDER, "kms:Sign")
    _sign_with_every_key(play, LENDER)


def the_issuer_of_another_stack(play: Play, _choose: Random) -> None:
    """Its name begins with this stack's; its role may sign with its own keys."""
    _sign_with_every_key(play, OTHER_ISSUER)


def who_may_create_and_tag_keys(play: Play, choose: Random) -> None:
    """`kms:CreateKey` and `kms:TagResource`: a key of its own, tagged as this stack's, to be adopted.

    It is like ours in all but one thing, by which its creator can sign, or like anybody's.
    """
    kms = play.world.kms
    policy, kind = choose.choice(_LOOKALIKES)
    arn = kms.create(_OUR_TAG, policy(), foreign=True, **kind)["KeyMetadata"]["Arn"]
    if not kind and policy is _ours:
        kms.lend(arn, CREATOR, "kms:Sign")
    play.traffic.sign_as(CREATOR, kid_of(kms.keys[arn].der), arn)


def who_may_tag_any_key(play: Play, choose: Random) -> None:
    """`kms:TagResource` on `*`: other teams' keys, older than this stack, tagged as this stack's."""
    kms = play.world.kms
    policy = choose.choice((default_policy, _open_to_the_account))
    kind = choose.choice(_KINDS)
    arn = kms.create(_OUR_TAG, policy(), foreign=True, **kind)["KeyMetadata"]["Arn"]
    kms.keys[arn].created = 0.0


def _sign_with_every_key(play: Play, thief: Principal) -> None:
    for key in play.world.truth.keyset.all_keys:
        play.traffic.sign_as(thief, key.kid, key.kms_key_arn)


def _ours() -> str:
    return key_policy(ROLE_PREFIX)


def _with(statement: Mapping[str, Any]) -> str:
    policy = json.loads(_ours())
    policy["Statement"].append({"Effect": "Allow", "Resource": "*", **statement})
    return json.dumps(policy)


def _ours_and_the_creator() -> str:
    return _with({"Principal": {"AWS": CREATOR.arn}, "Action": "kms:Sign"})


def _open_to_the_account() -> str:
    account = {"StringEquals": {"kms:CallerAccount": ACCOUNT}}
    return _with({"Principal": "*", "Action": "kms:*", "Condition": account})


_KINDS: tuple[Mapping[str, Any], ...] = (
    {},
    {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"},
    {"KeySpec": "ECC_NIST_P256"},
    {"KeySpec": "RSA_4096"},
    {"KeyUsage": "ENCRYPT_DECRYPT"},
)
_LOOKALIKES: tuple[tuple[Callable[[], str], Mapping[str, Any]], ...] = (
    (default_policy, {}),
    (_open_to_the_account, {}),
    (_ours_and_the_creator, {}),
    (_ours, {}),  # and lent
    (_ours, {"Origin": "EXTERNAL"}),
    (_ours, {"MultiRegion": True}),
    (_ours, {"KeyUsage": "ENCRYPT_DECRYPT"}),
    (_ours, {"KeySpec": "ECC_NIST_P256"}),
)
