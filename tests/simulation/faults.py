"""What can go wrong at an AWS call: one function a kind, and where each applies.

A fault holds the call in its hand: it may raise before the effect, after it, have it twice, show a
read the past, let a stranger write first, or end the process.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import ReadTimeoutError

from tests.cloud.errors import refused
from tests.cloud.wire import Call
from tests.simulation.scheduler import Crashed

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


class Passage(Protocol):
    """A call on its way, in the hands of a fault."""

    call: Call
    longest: float  # seconds that it can be on its way: ω

    def effect(self, *, ago: bool = False) -> Any:
        """Have the effect; `ago`: as far in the past as an eventual read may show."""
        ...

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def stranger_appends(self) -> None:
        """Another writer appends a generation that changes nothing."""
        ...


Fault = Callable[[Passage], Any]
_LOST = ReadTimeoutError(endpoint_url="https://aws.example")


def throttle(_passage: Passage) -> Any:
    """The quota is used up, also for the SDK's repetitions."""
    raise refused("ThrottlingException")


def server_error(_passage: Passage) -> Any:
    """5xx, and nothing was done."""
    raise refused("InternalServerError", 500)


def lost_reply(passage: Passage) -> Any:
    """It was done, and nobody is told."""
    passage.effect()
    raise _LOST


def doubled(passage: Passage) -> Any:
    """The SDK takes the reply for lost and does it again."""
    passage.effect()
    return passage.effect()


def crash_before(_passage: Passage) -> Any:
    """The process ends with the call unsent."""
    raise Crashed


def crash_after(passage: Passage) -> Any:
    """The process ends with the call done."""
    passage.effect()
    raise Crashed


def stale(passage: Passage) -> Any:
    """An eventual read shows the past."""
    return passage.effect(ago=True)


def denied(_passage: Passage) -> Any:
    """No permission, or not yet."""
    raise refused("AccessDeniedException")


def wrong_state(_passage: Passage) -> Any:
    """KMS does not (yet, or any more) take the key for usable."""
    raise refused("KMSInvalidStateException")


def malformed(passage: Passage) -> Any:
    """An answer that is cut short."""
    answer = passage.effect()
    match answer:
        case {"Parameters": list(found)}:
            return {"Parameters": [{**p, "Value": p["Value"][:-9]} for p in found]}
        case {"Body": body}:
            return {**answer, "Body": io.BytesIO(body.read()[:-9])}
        case {"PublicKey": der}:
            return {"PublicKey": der[:-9]}
        case bytes():
            return answer[:-9]
        case _:
            return {}


def slow(passage: Passage) -> Any:
    """Everything takes as long as it may."""
    passage.pause(passage.longest)
    return passage.effect()


def lost_late(passage: Passage) -> Any:
    """Done at once, and after as long as it may take the reply is lost."""
    passage.effect()
    passage.pause(passage.longest)
    raise _LOST


def slow_reply(passage: Passage) -> Any:
    """Done at once, answered late."""
    answer = passage.effect()
    passage.pause(passage.longest)
    return answer


def taken_by_another(passage: Passage) -> Any:
    """Another writer was faster."""
    passage.stranger_appends()
    return passage.effect()


def own_echo(passage: Passage) -> Any:
    """Our own write stands in our way: its reply was lost on the network."""
    passage.effect()
    raise refused("ParameterAlreadyExists")


def too_many_updates(_passage: Passage) -> Any:
    """SSM has its own words for a race."""
    raise refused("TooManyUpdates")


def conflict_409(_passage: Passage) -> Any:
    """Two conditional writes at the same time."""
    raise refused("ConditionalRequestConflict", 409)


def conflict_412(_passage: Passage) -> Any:
    """Another wrote in between."""
    raise refused("PreconditionFailed", 412)


APPLIES: Mapping[Fault, set[str]] = {
    throttle: READS | WRITES,
    server_error: READS | WRITES,
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
    crash_after: READS | WRITES,
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
