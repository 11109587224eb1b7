"""AWS errors become our faults: one kind each, call and code in the message and nothing else."""

from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
)

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
def test_every_code_has_its_kind(code, status, kind):
    """Nothing else of the answer gets into the message, and nothing into the exception's chain."""
    answer: Any = {
        "Error": {"Code": code, "Message": "secret"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    with pytest.raises(AwsFault) as raised, translate_errors("service:Call"):
        raise ClientError(answer, "Call")
    fault = raised.value
    assert (type(fault), str(fault), fault.code) == (kind, f"service:Call: {code}", code)
    assert fault.__suppress_context__


def test_an_answer_without_a_status_is_no_answer():
    """What nobody understands may have had its effect."""
    with pytest.raises(NoReply, match="service:Call: Unknown"), translate_errors("service:Call"):
        raise ClientError({}, "Call")


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="https://secret"), NoCredentialsError()]
)
def test_errors_without_an_answer_are_named_by_their_kind(error):
    """No URL, no text: the name of botocore's exception is enough."""
    with pytest.raises(AwsFault) as raised, translate_errors("service:Call"):
        raise error
    assert str(raised.value) == f"service:Call: {type(error).__name__}"


def test_our_own_errors_pass():
    """Only botocore's are translated."""
    with pytest.raises(KeyError), translate_errors("service:Call"):
        raise KeyError


@pytest.mark.parametrize("write_delay", [1, 5, 20, 900])
def test_a_timed_write_lands_or_is_given_up_within_the_write_delay(region, write_delay):
    """Connecting and waiting for the answer take less than ω together, and there is one attempt."""
    config: Any = Clients(write_delay).ssm_timed.meta.config
    assert config.connect_timeout + config.read_timeout < write_delay
    assert config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize("name", ["ssm", "kms"])
def test_a_call_that_hangs_fails_before_the_authorizer_is_killed(region, name):
    """Every attempt and the pauses between them (below 1 s, then below 2 s, …) end within its time."""
    config = getattr(Clients(20), name).meta.config
    attempts = config.retries["total_max_attempts"]
    pauses = 2 ** (attempts - 1) - 1
    longest = attempts * (config.connect_timeout + config.read_timeout) + pauses
    assert longest < RESOURCES["AuthorizeFunction"]["Properties"]["Timeout"]


def subclasses(error):
    """Every class below it, however deep."""
    return {error}.union(*(subclasses(below) for below in error.__subclasses__()))


# Raised after sending, or nobody can know: the call may have had its effect.
CAUTIOUS = {
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
    """A new one needs a decision: sent, not sent, not reached; whatever is undecided is cautious."""
    botocores = {
        error for error in subclasses(BotoCoreError) if error.__module__ == "botocore.exceptions"
    }
    decided = {
        error.__name__
        for error in botocores
        if issubclass(error, (*faults._NOT_SENT, *faults._UNREACHABLE))
    }
    names = {error.__name__ for error in botocores}
    assert decided | CAUTIOUS == names
    assert not decided & CAUTIOUS
    assert len(decided) > 60


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoCredentialsError(), NoCredentials),
        (exceptions.ProfileNotFound(profile="x"), NotSent),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), NoCredentials),
        (exceptions.ConfigParseError(path="x"), NotSent),
        (exceptions.NoRegionError(), NotSent),
        (exceptions.ParamValidationError(report="x"), NotSent),
        (exceptions.SSOTokenLoadError(error_msg="x"), NoCredentials),
        (exceptions.UnauthorizedSSOTokenError(), NoCredentials),
        (exceptions.LoginRefreshRequired(), NoCredentials),
        (exceptions.ProxyConnectionError(proxy_url="x"), Unreachable),
        (EndpointConnectionError(endpoint_url="x"), Unreachable),
        (exceptions.ConnectTimeoutError(endpoint_url="x"), Unreachable),
        (exceptions.ReadTimeoutError(endpoint_url="x"), NoReply),
        (exceptions.ConnectionClosedError(endpoint_url="x"), NoReply),
    ],
)
def test_what_was_not_sent_is_told_from_what_was_not_answered(error, kind):
    """Only the second may have had its effect."""
    with pytest.raises(AwsFault) as raised, translate_errors("service:Call"):
        raise error
    assert type(raised.value) is kind


@pytest.mark.parametrize("operation", ["AssumeRole", "GetRoleCredentials", "CreateToken"])
def test_a_refusal_while_signing_is_about_the_credentials(operation):
    """Not about the call that was to be signed, which was never sent."""
    answer: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    message = f"ssm:PutParameter, {operation}: AccessDenied"
    with pytest.raises(NoCredentials, match=message), translate_errors("ssm:PutParameter"):
        raise ClientError(answer, operation)
