"""AWS errors are translated into our faults: the message has call and code, and nothing else."""

from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from keyturn.aws import faults
from keyturn.aws.clients import Clients
from keyturn.aws.faults import (
    AccessDenied,
    AwsFault,
    Conflict,
    KeyUnusable,
    NoCredentials,
    NoReply,
    NotFound,
    NotSent,
    Throttled,
    Unreachable,
    translate_errors,
)
from tests.template import RESOURCES


def translate(error: Exception) -> AwsFault:
    """The fault that an error of botocore becomes."""
    with pytest.raises(AwsFault) as raised, translate_errors("service:Call"):
        raise error
    assert raised.value.__suppress_context__  # the original error may contain anything
    return raised.value


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, Throttled),
        ("TooManyRequestsException", 429, Throttled),
        ("LimitExceededException", 400, Throttled),
        ("SlowDown", 503, Throttled),
        ("DisabledException", 400, KeyUnusable),
        ("KMSInvalidStateException", 400, KeyUnusable),
        ("NotFoundException", 400, KeyUnusable),
        ("PreconditionFailed", 412, Conflict),
        ("412", 412, Conflict),
        ("ConditionalRequestConflict", 409, Conflict),
        ("ParameterAlreadyExists", 400, Conflict),
        ("TooManyUpdates", 400, Conflict),
        ("NoSuchKey", 404, NotFound),
        ("404", 404, NotFound),
        ("ResourceNotFoundException", 404, NotFound),
        ("InternalServerError", 500, NoReply),
        ("ServiceUnavailable", 503, NoReply),
        ("AccessDenied", 403, AccessDenied),
        ("AccessDeniedException", 400, AccessDenied),
        ("NoSuchBucket", 404, AwsFault),
    ],
)
def test_every_code_has_a_kind(code, status, kind):
    """Nothing else from the answer is in the message."""
    answer: Any = {
        "Error": {"Code": code, "Message": "secret"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    fault = translate(ClientError(answer, "Call"))
    assert (type(fault), str(fault), fault.code) == (kind, f"service:Call: {code}", code)


def test_an_answer_without_a_status_is_no_reply():
    """The call may have taken effect."""
    fault = translate(ClientError({}, "Call"))
    assert (type(fault), str(fault)) == (NoReply, "service:Call: Unknown")


def test_other_errors_are_not_translated():
    """They are our own."""
    with pytest.raises(KeyError), translate_errors("service:Call"):
        raise KeyError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.NoCredentialsError(), NoCredentials),
        (exceptions.ProfileNotFound(profile="x"), NotSent),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), NoCredentials),
        (exceptions.ConfigParseError(path="x"), NotSent),
        (exceptions.NoRegionError(), NotSent),
        (exceptions.ParamValidationError(report="x"), NotSent),
        (exceptions.SSOTokenLoadError(error_msg="x"), NoCredentials),
        (exceptions.UnauthorizedSSOTokenError(), NoCredentials),
        (exceptions.LoginRefreshRequired(), NoCredentials),
        (exceptions.ProxyConnectionError(proxy_url="x"), Unreachable),
        (exceptions.EndpointConnectionError(endpoint_url="https://secret"), Unreachable),
        (exceptions.ConnectTimeoutError(endpoint_url="x"), Unreachable),
        (exceptions.ReadTimeoutError(endpoint_url="x"), NoReply),
        (exceptions.ConnectionClosedError(endpoint_url="x"), NoReply),
    ],
)
def test_an_error_without_an_answer_is_named_by_its_class(error, kind):
    """Only a request that was sent can have taken effect. The message has no URL and no text."""
    fault = translate(error)
    assert (type(fault), str(fault)) == (kind, f"service:Call: {type(error).__name__}")


@pytest.mark.parametrize("operation", ["AssumeRole", "GetRoleCredentials", "CreateToken"])
def test_an_error_while_signing_is_about_the_credentials(operation):
    """The call that was to be signed was never sent."""
    answer: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    fault = translate(ClientError(answer, operation))
    message = f"service:Call, {operation}: AccessDenied"
    assert (type(fault), str(fault)) == (NoCredentials, message)


@pytest.mark.parametrize("write_delay", [1, 5, 20, 900])
def test_a_timed_write_ends_within_the_write_delay(region, write_delay):
    """There is one attempt, and its timeouts are less than ω together."""
    config: Any = Clients(write_delay).ssm_timed.meta.config
    assert config.connect_timeout + config.read_timeout < write_delay
    assert config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize("name", ["ssm", "kms"])
def test_a_hanging_call_fails_before_the_authorizer_times_out(region, name):
    """This includes all attempts and the pauses between them: below 1 s, then below 2 s, and so on."""
    config = getattr(Clients(20), name).meta.config
    attempts = config.retries["total_max_attempts"]
    pauses = 2 ** (attempts - 1) - 1
    longest = attempts * (config.connect_timeout + config.read_timeout) + pauses
    assert longest < RESOURCES["AuthorizeFunction"]["Properties"]["Timeout"]


def subclasses(error):
    """The class and all classes below it."""
    return {error}.union(*(subclasses(below) for below in error.__subclasses__()))


# Raised after sending, or possibly so: the call may have taken effect.
NO_REPLY = {
    "AwsChunkedWrapperError",
    "BotoCoreError",
    "CapacityNotAvailableError",
    "ChecksumError",
    "ConnectionClosedError",
    "FlexibleChecksumError",
    "HTTPClientError",
    "IncompleteReadError",
    "InvalidExpressionError",
    "PaginationError",
    "ReadTimeoutError",
    "ResponseStreamingError",
    "StubAssertionError",
    "StubResponseError",
    "UnStubbedResponseError",
    "UnseekableStreamError",
    "WaiterConfigError",
    "WaiterError",
}


def test_every_error_of_botocore_has_a_kind():
    """A new one needs a decision whether it is raised before the request is sent."""
    errors = {
        error for error in subclasses(BotoCoreError) if error.__module__ == "botocore.exceptions"
    }
    before_sending = (*faults._NOT_SENT, *faults._UNREACHABLE)
    unsent = {error.__name__ for error in errors if issubclass(error, before_sending)}
    assert unsent | NO_REPLY == {error.__name__ for error in errors}
    assert not unsent & NO_REPLY
    assert len(unsent) > 60
