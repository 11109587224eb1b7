"""AWS errors, translated in one place: the service has failed, and no token is at fault."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions
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
_ACCESS_DENIED = {"AccessDenied", "AccessDeniedException"}
_CONFLICT = {
    "412",
    "ConditionalRequestConflict",
    "ParameterAlreadyExists",
    "PreconditionFailed",
    "TooManyUpdates",
}
_NOT_FOUND = {"404", "NoSuchKey", "ResourceNotFoundException"}
# botocore makes these calls by itself when it signs another call.
_CREDENTIAL_OPERATIONS = {
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "CreateOAuth2Token",
    "CreateToken",
    "GetRoleCredentials",
}
_NO_CREDENTIALS = (
    exceptions.CredentialRetrievalError,
    exceptions.InfiniteLoopConfigError,
    exceptions.InvalidConfigError,
    exceptions.LoginError,
    exceptions.MetadataRetrievalError,
    exceptions.NoAuthTokenError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.RefreshWithMFAUnsupportedError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
    exceptions.UnknownCredentialError,
    exceptions.UnknownTokenProviderError,
)
# Raised before the request is sent: by configuration, arguments, endpoint or signature.
_NOT_SENT = (
    *_NO_CREDENTIALS,
    exceptions.ApiVersionNotFoundError,
    exceptions.BaseEndpointResolverError,
    exceptions.ConfigNotFound,
    exceptions.ConfigParseError,
    exceptions.DataNotFoundError,
    exceptions.EndpointProviderError,
    exceptions.InvalidChecksumConfigError,
    exceptions.InvalidDefaultsMode,
    exceptions.InvalidDNSNameError,
    exceptions.InvalidEndpointConfigurationError,
    exceptions.InvalidEndpointDiscoveryConfigurationError,
    exceptions.InvalidHostLabelError,
    exceptions.InvalidIMDSEndpointError,
    exceptions.InvalidIMDSEndpointModeError,
    exceptions.InvalidProxiesConfigError,
    exceptions.InvalidRetryConfigurationError,
    exceptions.InvalidS3AddressingStyleError,
    exceptions.InvalidS3UsEast1RegionalEndpointConfigError,
    exceptions.InvalidSTSRegionalEndpointsConfigError,
    exceptions.MD5UnavailableError,
    exceptions.MissingDependencyException,
    exceptions.MissingParametersError,
    exceptions.OperationNotPageableError,
    exceptions.ParamValidationError,
    exceptions.ProfileNotFound,
    exceptions.ServiceNotInRegionError,
    exceptions.UnknownClientMethodError,
    exceptions.UnknownRegionError,
    exceptions.UnknownServiceStyle,
    exceptions.UnknownSignatureVersionError,
    exceptions.UnsupportedOutpostResourceError,
    exceptions.UnsupportedS3AccesspointConfigurationError,
    exceptions.UnsupportedS3ArnError,
    exceptions.UnsupportedS3ConfigurationError,
    exceptions.UnsupportedS3ControlArnError,
    exceptions.UnsupportedS3ControlConfigurationError,
    exceptions.UnsupportedServiceProtocolsError,
    exceptions.UnsupportedSignatureVersionError,
    exceptions.ValidationError,
)
_UNREACHABLE = (
    exceptions.ConnectionError,  # its subclasses: endpoint, proxy, TLS, connect timeout
)


class AwsFault(Exception):
    """An AWS call failed; the message names the call and the error code, never the content."""

    def __init__(self, call: str, code: str) -> None:
        super().__init__(f"{call}: {code}")
        self.call = call
        self.code = code


class Throttled(AwsFault):
    """The account's request quota is exhausted for the moment."""


class KeyUnusable(AwsFault):
    """The KMS key is disabled, pending deletion or gone."""


class AccessDenied(AwsFault):
    """No policy allows the call, or the policy has not propagated yet."""


class Conflict(AwsFault):
    """A conditional write failed because the object has changed since it was read."""


class NotFound(AwsFault):
    """The object or schedule does not exist."""


class NoReply(AwsFault):
    """There was no usable reply; the call may have taken effect all the same."""


class Unreachable(NoReply):
    """The last attempt could not reach AWS; an earlier one may have been sent."""


class NotSent(AwsFault):
    """Nothing was sent: the request could not be prepared."""


class UnreadableDocument(AwsFault):
    """The document of a client or an API cannot be parsed."""


class NoCredentials(NotSent):
    """There are no usable credentials."""


@contextmanager
def translate_errors(call: str) -> Iterator[None]:
    """Turn botocore's errors from `call` (`service:Operation`) into AwsFault's children."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        if error.operation_name in _CREDENTIAL_OPERATIONS:
            raise NoCredentials(f"{call}, {error.operation_name}", code) from None
        raise _fault(code, error)(call, code) from None
    except BotoCoreError as error:
        raise _fault_without_reply(error)(call, type(error).__name__) from None


def _fault_without_reply(error: BotoCoreError) -> type[AwsFault]:
    for errors, fault in (
        (_NO_CREDENTIALS, NoCredentials),
        (_NOT_SENT, NotSent),
        (_UNREACHABLE, Unreachable),
    ):
        if isinstance(error, errors):
            return fault
    return NoReply


def _fault(code: str, error: ClientError) -> type[AwsFault]:
    for codes, fault in (
        (_THROTTLED, Throttled),
        (_KEY_UNUSABLE, KeyUnusable),
        (_ACCESS_DENIED, AccessDenied),
        (_CONFLICT, Conflict),
        (_NOT_FOUND, NotFound),
    ):
        if code in codes:
            return fault
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return NoReply if status >= 500 else AwsFault
