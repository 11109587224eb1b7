"""What can go wrong at an AWS call: one function per kind, and where each applies.

A fault decides what becomes of the call: it may raise before the effect or after it, have it twice, show a
read the past, let another writer write first, or end the process.
"""

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError

from tests.cloud.errors import refused
from tests.simulation.scheduler import Crashed

if TYPE_CHECKING:
    from tests.simulation.passage import Passage

READS = {
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "tag:GetResources",
    "s3:GetObject",
    "s3:ListObjectsV2",
    "https:GET",
}
WRITES = {
    "ssm:PutParameter",
    "ssm:DeleteParameters",
    "kms:CreateKey",
    "kms:Sign",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
    "s3:PutObject",
    "apigateway:Flush",
    "events:PutEvents",
}
EVENTUAL = {"ssm:GetParameters", "ssm:GetParametersByPath", "kms:DescribeKey", "https:GET"}
ON_A_KEY = {"kms:Sign", "kms:GetPublicKey", "kms:DisableKey", "kms:ScheduleKeyDeletion"}
WITH_A_REPLY = (READS | {"kms:CreateKey", "kms:Sign"}) - {"s3:ListObjectsV2"}


Fault = Callable[["Passage"], Any]
_LOST = ReadTimeoutError(endpoint_url="https://aws.example")


def throttle(_passage: "Passage") -> Any:
    """The quota is used up, and stays so through the SDK's retries."""
    raise refused("ThrottlingException")


def server_error(_passage: "Passage") -> Any:
    """5xx, without an effect."""
    raise refused("InternalServerError", 500)


def lost_reply(passage: "Passage") -> Any:
    """The call took effect, and its reply is lost."""
    passage.effect()
    raise _LOST


def doubled(passage: "Passage") -> Any:
    """The SDK takes the reply for lost and repeats the call."""
    passage.effect()
    return passage.effect()


def crash_before(_passage: "Passage") -> Any:
    """The process ends before it sends the call."""
    raise Crashed


def crash_after(passage: "Passage") -> Any:
    """The process ends after the call took effect."""
    passage.effect()
    raise Crashed


def stale(passage: "Passage") -> Any:
    """An eventually consistent read shows the past."""
    return passage.effect(ago=True)


def denied(_passage: "Passage") -> Any:
    """No permission, or not yet."""
    raise refused("AccessDeniedException")


def wrong_state(_passage: "Passage") -> Any:
    """KMS does not consider the key usable yet, or any more."""
    raise refused("KMSInvalidStateException")


def malformed(passage: "Passage") -> Any:
    """The answer is truncated."""
    answer = passage.effect()
    match answer:
        case {"Parameters": list(parameters)}:
            return {"Parameters": [{**p, "Value": p["Value"][:-9]} for p in parameters]}
        case {"Body": body}:
            return {**answer, "Body": io.BytesIO(body.read()[:-9])}
        case {"PublicKey": der}:
            return {"PublicKey": der[:-9]}
        case bytes():
            return answer[:-9]
        case _:
            return {}


def slow(passage: "Passage") -> Any:
    """The call takes as long as it may, and then has its effect."""
    passage.pause(passage.longest)
    return passage.effect()


def lost_late(passage: "Passage") -> Any:
    """The call takes effect at once; after as long as it may take, the reply is lost."""
    passage.effect()
    passage.pause(passage.longest)
    raise _LOST


def slow_reply(passage: "Passage") -> Any:
    """The call takes effect at once and is answered late."""
    answer = passage.effect()
    passage.pause(passage.longest)
    return answer


def taken_by_another(passage: "Passage") -> Any:
    """Another writer was faster."""
    passage.stranger_appends()
    return passage.effect()


def own_echo(passage: "Passage") -> Any:
    """Our own write, whose reply was lost on the network, is in the way of its retry."""
    passage.effect()
    raise refused("ParameterAlreadyExists")


def too_many_updates(_passage: "Passage") -> Any:
    """SSM's other error for a race."""
    raise refused("TooManyUpdates")


def conflict_409(_passage: "Passage") -> Any:
    """Two conditional writes at the same time."""
    raise refused("ConditionalRequestConflict", 409)


def conflict_412(_passage: "Passage") -> Any:
    """Another writer was faster."""
    raise refused("PreconditionFailed", 412)


# A read has no effect: for it, to end after the call is to end before it, and 5xx is a throttle by another name.
APPLIES: Mapping[Fault, set[str]] = {
    throttle: READS | WRITES,
    server_error: WRITES,
    lost_reply: READS | WRITES,
    lost_late: {"ssm:PutParameter", "kms:CreateKey"},
    doubled: {
        "s3:PutObject",
        "kms:DisableKey",
        "kms:ScheduleKeyDeletion",
        "apigateway:Flush",
        "events:PutEvents",
    },
    crash_before: READS | WRITES,
    crash_after: WRITES,
    stale: EVENTUAL,
    denied: READS | WRITES,
    wrong_state: ON_A_KEY,
    malformed: WITH_A_REPLY,
    slow: READS | WRITES,
    slow_reply: READS | WRITES,
    taken_by_another: {"ssm:PutParameter"},
    own_echo: {"ssm:PutParameter"},
    too_many_updates: {"ssm:PutParameter"},
    conflict_409: {"s3:PutObject"},
    conflict_412: {"s3:PutObject"},
}


def kinds(operation: str) -> list[Fault]:
    """The faults that an operation can meet."""
    return [fault for fault, operations in APPLIES.items() if operation in operations]
