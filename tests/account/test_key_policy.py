"""What KMS and IAM ask of a key policy, and the paths by which it names the stack's roles."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from keyturn.aws.keyset.key_policy import GRANTS, SIZE_LIMIT, key_policy, role_prefix
from tests.account.resolve import Deployment
from tests.account.test_names import LONGEST
from tests.permissions.key_policy import KeyPolicy, Principal
from tests.synthesized import Template, mutated, synthesized

_PATH = re.compile(
    r"/|/[\x21-\x7f]+/"
)  # IAM API Reference, CreateRole, Path: 512 characters at most
_PATH_LIMIT = 512
_REGION = "ap-southeast-2"


def prefixes(template: Template, stack: str = LONGEST) -> dict[str, str]:
    """The prefix of the roles' ARNs that each function is given."""
    functions = Deployment(template, stack=stack).resources("AWS::Lambda::Function")
    variables = {
        name: function.get("Environment", {}).get("Variables", {})
        for name, function in functions.items()
    }
    return {
        name: told["KEYTURN_ROLE_PREFIX"]
        for name, told in variables.items()
        if "KEYTURN_STACK" in told
    }


def unnamed(template: Template, stack: str = LONGEST) -> set[str]:
    """The roles that the policy grants something and that it does not name by the ARN they have."""
    [prefix] = set(prefixes(template, stack).values())
    roles = Deployment(template, stack=stack).resources("AWS::IAM::Role")
    policy, wrong = KeyPolicy(key_policy(prefix)), set()
    for actions, names in GRANTS.values():
        for name in names:
            path = roles.get(name, {}).get("Path", "/")
            caller = Principal(f"arn:aws:iam::123456789012:role{path}{name[:24]}-1ABCDEFGHIJKL")
            context = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
            if not all(policy.allows(caller, action, "key", context) for action in actions):
                wrong.add(name)
    return wrong


def test_every_role_that_a_key_grants_something_is_named_by_its_path() -> None:
    """The path does not depend on the name, which CloudFormation cuts to 64 characters.

    Source: IAM User Guide, "AWS global condition context keys", aws:PrincipalArn (of a session the ARN of
    its role, with the role's path); CloudFormation User Guide, "Name type".
    """
    assert unnamed(dict(synthesized())) == set()
    assert unnamed(dict(synthesized()), "keyturn") == set()


def _rename(template: Template) -> None:
    resources = template["Resources"]
    resources["SignFunctionRole"] = resources.pop("IssueTokenFunctionRole")


def _without_path(template: Template) -> None:
    del template["Resources"]["AuthorizeFunctionRole"]["Properties"]["Path"]


def _with_the_path_of_another(template: Template) -> None:
    path = {"Fn::Sub": "/keyturn/${AWS::Region}/${AWS::StackName}/CreateKeyFunctionRole/"}
    template["Resources"]["ReconcileFunctionRole"]["Properties"]["Path"] = path


def _without_region(template: Template) -> None:
    path = {"Fn::Sub": "/keyturn/${AWS::StackName}/DisableKeysFunctionRole/"}
    template["Resources"]["DisableKeysFunctionRole"]["Properties"]["Path"] = path


@pytest.mark.parametrize(
    ("mutant", "role"),
    [
        (_rename, "IssueTokenFunctionRole"),
        (_without_path, "AuthorizeFunctionRole"),
        (_with_the_path_of_another, "ReconcileFunctionRole"),
        (_without_region, "DisableKeysFunctionRole"),
    ],
)
def test_a_role_at_another_path_is_noticed(mutant: Callable[[Template], None], role: str) -> None:
    """It could do nothing with any key."""
    assert unnamed(mutated(mutant)) == {role}


def test_the_command_finds_the_same_prefix_by_the_stacks_arn() -> None:
    """An operator creates keys that the stack's roles may use."""
    arn = f"arn:aws:cloudformation:{_REGION}:123456789012:stack/keyturn/1"
    assert set(prefixes(dict(synthesized()), "keyturn").values()) == {role_prefix(arn)}


def test_the_paths_are_allowed() -> None:
    """They are short enough for the longest name of a stack. Source: IAM API Reference, CreateRole."""
    for role in Deployment(synthesized(), stack=LONGEST).resources("AWS::IAM::Role").values():
        path = role.get("Path", "/")
        assert _PATH.fullmatch(path)
        assert len(path) <= _PATH_LIMIT


def test_the_policy_is_no_longer_than_kms_allows() -> None:
    """It fits with the longest name of a stack, in ASCII. Source: AWS KMS API Reference, CreateKey, Policy."""
    [prefix] = set(prefixes(dict(synthesized())).values())
    assert len(key_policy(prefix).encode("ascii")) <= SIZE_LIMIT


def missing_principals(policy: Mapping[str, Any]) -> list[Any]:
    """Principals that may not exist when a key is created."""
    account = {"AWS": "arn:aws:iam::123456789012:root"}
    principals = [statement["Principal"] for statement in policy["Statement"]]
    return [told for told in principals if told not in ({"AWS": "*"}, account)]


def test_no_principal_need_exist() -> None:
    """KMS refuses a policy whose principals it does not see; patterns in a condition it does not look up.

    So a key that a stack left can be used by the next stack's roles, and one is created while roles are new.
    Source: AWS KMS API Reference, CreateKey, Policy ("must exist and be visible to KMS").
    """
    [prefix] = set(prefixes(dict(synthesized())).values())
    policy = json.loads(key_policy(prefix))
    assert missing_principals(policy) == []
    policy["Statement"][0]["Principal"] = {"AWS": f"{prefix}IssueTokenFunctionRole/x"}
    assert len(missing_principals(policy)) == 1


def test_who_creates_a_key_cannot_change_its_policy() -> None:
    """KMS's lockout safety check would refuse the creation, under every reading of it.

    The creators may not by the key's policy, and by IAM they have no statement. That is the use for which
    the check may be bypassed ("only when you intend to prevent the principal that is making the request from
    making a subsequent PutKeyPolicy request"). Source: AWS KMS API Reference, CreateKey.
    """
    [prefix] = set(prefixes(dict(synthesized())).values())
    policy = KeyPolicy(key_policy(prefix))
    for name in ("CreateKeyFunctionRole", "ReplaceKeysFunctionRole", "ReconcileFunctionRole"):
        assert not policy.allows(Principal(f"{prefix}{name}/x"), "kms:PutKeyPolicy", "key", {})
