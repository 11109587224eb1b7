"""The roles of the functions as SAM synthesizes them of template.yaml, for the stack `sim`."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.permissions.key_policy import Principal
from tests.permissions.policy import Statement
from tests.synthesized import synthesized

ACCOUNT = "us-east-1:123456789012"
STATE_MACHINE = f"arn:aws:states:{ACCOUNT}:stateMachine:rotation"
KNOWN = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "sim",
    "AWS::URLSuffix": "amazonaws.com",
    "Bucket": "bucket",
    "Bucket.Arn": "arn:aws:s3:::bucket",
    "RotationStateMachine": STATE_MACHINE,
    "RotationStateMachine.Name": "rotation",
    "Logs": "logs",
}


@cache
def resources() -> Mapping[str, Any]:
    """Every resource, with its intrinsic functions resolved as far as policies need them."""
    return {name: _resolved(raw) for name, raw in synthesized()["Resources"].items()}


def functions() -> Mapping[str, str]:
    """Each function's handler module."""
    return {
        name: resource["Properties"]["Handler"].removesuffix(".handler")
        for name, resource in resources().items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def statements(function: str) -> list[Statement]:
    """What the function's role may do."""
    role = _role(function)
    inline = [policy["PolicyDocument"] for policy in role.get("Policies", ())]
    managed = [
        resources()[name]["Properties"]["PolicyDocument"] for name in managed_policies(function)
    ]
    return [
        Statement.from_document(text)
        for document in inline + managed
        for text in document["Statement"]
    ]


def managed_policies(function: str) -> list[str]:
    """Those that the role has, each a resource of the template."""
    return list(_role(function).get("ManagedPolicyArns", ()))


def role_of(function: str) -> str:
    """The role that the function runs with."""
    return str(resources()[function]["Properties"]["Role"].removeprefix("arn:"))


def principal_of(function: str) -> Principal:
    """The function's role as a caller of KMS."""
    path = _role(function).get("Path", "/")
    name = f"sim-{role_of(function)}-1ABCDEFGHIJKL"[:64]
    return Principal(
        f"arn:aws:iam::{KNOWN['AWS::AccountId']}:role{path}{name}", tuple(statements(function))
    )


def _role(function: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = resources()[role_of(function)]["Properties"]
    return properties


def _resolved(value: Any) -> Any:
    match value:
        case {"Ref": str(name)}:
            return KNOWN.get(name, name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return _attribute(f"{name}.{attribute}")
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:.]+)\}", lambda reference: _attribute(reference[1]), text)
        case {"Fn::If": ["IsAws", there, _]}:
            return _resolved(there)
        case {"Fn::Join": [str(glue), list(parts)]}:
            return glue.join(map(str, map(_resolved, parts)))
        case dict():
            return {name: _resolved(part) for name, part in value.items()}
        case list():
            return [_resolved(part) for part in value]
    return value


def _attribute(name: str) -> str:
    return KNOWN.get(name, f"arn:{name.removesuffix('.Arn')}" if name.endswith(".Arn") else name)
