"""What the calls of the product ask of IAM: actions, resources, condition values.

Source: Service Authorization Reference, the pages of each service.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.permissions.roles import ACCOUNT, STATE_MACHINE

SSM = f"arn:aws:ssm:{ACCOUNT}:parameter"
BUS = f"arn:aws:events:{ACCOUNT}:event-bus/default"


@dataclass(frozen=True, slots=True)
class Need:
    """One permission that a call needs."""

    action: str
    resource: str
    context: tuple[tuple[str, str | tuple[str, ...]], ...] = ()

    @property
    def is_of_a_key(self) -> bool:
        """Whether a key policy decides it."""
        return self.action.startswith("kms:") and self.resource != "*"


def needs(operation: str, arguments: Mapping[str, Any]) -> list[Need]:
    """Everything that this call needs."""
    service, _, name = operation.partition(":")
    by_service = {
        "ssm": _ssm,
        "kms": _kms,
        "s3": _s3,
        "states": _states,
        "tagging": lambda _n, _g: iter([Need("tag:GetResources", "*")]),
        "apigateway": _apigateway,
        "apigatewayv2": _apigatewayv2,
        "cloudfront": lambda _n, g: iter([Need("cloudfront:CreateInvalidation", _distribution(g))]),
        "events": _events,
        "cloudformation": _cloudformation,
    }
    return list(by_service[service](name, arguments))


def _ssm(name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    action = f"ssm:{name}"
    match name:
        case "GetParameters" | "DeleteParameters":
            yield from (Need(action, SSM + parameter) for parameter in arguments["Names"])
        case "GetParametersByPath":
            yield Need(action, SSM + arguments["Path"])
        case "PutParameter":
            overwrite = str(arguments["Overwrite"]).lower()
            yield Need(action, SSM + arguments["Name"], (("ssm:Overwrite", overwrite),))


def _kms(name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    if name == "CreateKey":
        spec = [("kms:KeySpec", arguments["KeySpec"]), ("kms:KeyUsage", arguments["KeyUsage"])]
        tags = [(f"aws:RequestTag/{t['TagKey']}", t["TagValue"]) for t in arguments["Tags"]]
        keys = ("aws:TagKeys", tuple(t["TagKey"] for t in arguments["Tags"]))
        yield Need("kms:CreateKey", "*", (*spec, *tags, keys))
        # Nothing documents what of the request reaches this check, which has no key to look at yet.
        yield from (Need("kms:TagResource", "*", known) for known in ((), (keys,), (*tags, keys)))
        return
    algorithm = arguments.get("SigningAlgorithm")
    context = (("kms:SigningAlgorithm", algorithm),) if algorithm else ()
    yield Need(f"kms:{name}", arguments["KeyId"], context)


def _s3(name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    bucket = f"arn:aws:s3:::{arguments['Bucket']}"
    if name == "ListObjectsV2":
        prefix = (("s3:prefix", arguments["Prefix"]),) if arguments.get("Prefix") else ()
        yield Need("s3:ListBucket", bucket, prefix)
        return
    if name == "ListObjectVersions":
        yield Need("s3:ListBucketVersions", bucket)
        return
    if "VersionId" in arguments:
        name += "Version"
    conditions = (("IfMatch", "s3:if-match"), ("IfNoneMatch", "s3:if-none-match"))
    context = [(key, arguments[field]) for field, key in conditions if arguments.get(field)]
    yield Need(f"s3:{name}", f"{bucket}/{arguments['Key']}", tuple(context))
    if name == "GetObject":  # to be told 404 and not 403
        yield Need("s3:ListBucket", bucket, (("s3:prefix", arguments["Key"]),))


def _states(name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    arn = arguments.get("executionArn") or arguments["stateMachineArn"]
    yield Need(f"states:{name}", arn)


def _apigateway(_name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    stage = f"/restapis/{arguments['restApiId']}/stages/{arguments['stageName']}/cache/authorizers"
    yield Need("apigateway:DELETE", f"arn:aws:apigateway:us-east-1::{stage}")


def _apigatewayv2(_name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    stage = f"/apis/{arguments['ApiId']}/stages/{arguments['StageName']}/cache/authorizers"
    yield Need("apigateway:DELETE", f"arn:aws:apigateway:us-east-1::{stage}")


def _cloudformation(name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    stack = f"arn:aws:cloudformation:{ACCOUNT}:stack/{arguments['StackName']}/1a2b3c4d"
    yield Need(f"cloudformation:{name}", stack)


def _distribution(arguments: Mapping[str, Any]) -> str:
    account = ACCOUNT.partition(":")[2]
    return f"arn:aws:cloudfront::{account}:distribution/{arguments['DistributionId']}"


def _events(_name: str, arguments: Mapping[str, Any]) -> Iterator[Need]:
    for entry in arguments["Entries"]:
        context = (("events:source", entry["Source"]), ("events:detail-type", entry["DetailType"]))
        yield Need("events:PutEvents", BUS, context)


EXECUTION = STATE_MACHINE.replace("stateMachine", "execution") + ":run"
