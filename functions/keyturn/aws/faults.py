"""AWS errors, translated once. All of them mean that we are bad, never that a token is."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

_THROTTLED = {
    "LimitExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_KEY_UNUSABLE = {"DisabledException", "KMSInvalidStateException", "NotFoundException"}
_CONFLICT = {
    "412",
    "ConditionalRequestConflict",
    "ParameterAlreadyExists",
    "PreconditionFailed",
    "TooManyUpdates",
}
_ABSENT = {"404", "NoSuchKey", "ResourceNotFoundException"}


class AwsFault(Exception):
    """An AWS call failed; the message names the call and the error code, never its content."""

    def __init__(self, call: str, code: str) -> None:
        super().__init__(f"{call}: {code}")
        self.call = call
        self.code = code


class Throttled(AwsFault):
    """The account's request quota is used up for the moment."""


class KeyUnusable(AwsFault):
    """The KMS key is disabled, pending deletion or gone."""


class Conflict(AwsFault):
    """A conditional write met something that was not there when it was decided."""


class Absent(AwsFault):
    """The object or schedule does not exist."""


class Unanswered(AwsFault):
    """No usable answer came; the call may have had its effect all the same."""


@contextmanager
def translated(call: str) -> Iterator[None]:
    """Turn botocore's errors from `call` (`service:Operation`) into AwsFault's children."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        raise _kind(code, error)(call, code) from None
    except BotoCoreError as error:
        raise Unanswered(call, type(error).__name__) from None


def _kind(code: str, error: ClientError) -> type[AwsFault]:
    for codes, kind in (
        (_THROTTLED, Throttled),
        (_KEY_UNUSABLE, KeyUnusable),
        (_CONFLICT, Conflict),
        (_ABSENT, Absent),
    ):
        if code in codes:
            return kind
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return Unanswered if status >= 500 else AwsFault
