"""What to do about an error, in one line."""

from keyturn.aws.faults import AwsFault, NoCredentials, NoReply, NotSent, Throttled, Unreachable
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.operator.credentials import MFA_WITHOUT_TERMINAL, profile_name
from keyturn.aws.settings import InvalidSettings
from keyturn.cli.terminal import CommandError
from keyturn.keyset.errors import ContradictorySettings, NewerSchema

_SSO = "the SSO session has expired or is missing: `aws sso login{profile}`"
_LOGIN = "the login session has expired or is missing: `aws login{profile}`"
_SIGN_IN = "these credentials are no longer valid: sign in again"
_CONFIGURE = "fix the configuration: `aws configure list{profile}` shows what is in effect"
_BY_CODE = {
    "NoCredentialsError": "sign in, or name a --profile that has credentials",
    "PartialCredentialsError": "set both the access key ID and the secret access key",
    "ProfileNotFound": "`aws configure list-profiles` lists the profiles of this machine",
    "ConfigParseError": "fix the syntax of ~/.aws/config or ~/.aws/credentials",
    "NoRegionError": "add --region, or set AWS_REGION",
    "InvalidRegionError": "check --region: that is not the name of an AWS Region",
    "UnauthorizedSSOTokenError": _SSO,
    "SSOTokenLoadError": _SSO,
    "TokenRetrievalError": _SSO,
    "LoginRefreshRequired": _LOGIN,
    "LoginTokenLoadError": _LOGIN,
    "LoginAuthorizationCodeError": _LOGIN,
    "MissingDependencyException": "install botocore[crt] beside the command",
    MFA_WITHOUT_TERMINAL: "run it in a terminal, where it can ask for the MFA code, or sign in first",
    "CredentialRetrievalError": "run the profile's credential_process by hand and fix its error",
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "InvalidClientTokenId": _SIGN_IN,
    "UnrecognizedClientException": _SIGN_IN,
    "ProxyConnectionError": "check HTTPS_PROXY: the proxy does not answer or refuses the connection",
    "SSLError": "check AWS_CA_BUNDLE: the certificate that was presented is not trusted",
    "EndpointConnectionError": "check the network, HTTPS_PROXY and --region",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
_NO_STACK = ("cloudformation:DescribeStacks", "ValidationError")
_RESTORE = "`keyturn repair` restores the keyset; until then nothing is touched"
_BY_KIND: tuple[tuple[type[Exception], str], ...] = (
    (NoCredentials, "sign in again, and check with `aws sts get-caller-identity{profile}`"),
    (NotSent, _CONFIGURE),
    (Throttled, "wait a minute and try again: the account's request quota is used up"),
    (Unreachable, "check the network and HTTPS_PROXY, then try again"),
    (NoReply, "try again; the call may have taken effect all the same"),
    (KeysetMissing, _RESTORE),
    (NewerSchema, "deploy that release; until then nothing is touched"),
    (
        ContradictorySettings,
        "deploy with parameters that do not contradict each other (docs/time.md)",
    ),
    (InvalidSettings, "fix that parameter and deploy again"),
)


def remedy_for(error: Exception) -> str:
    """What to try next."""
    if isinstance(error, CommandError):
        return error.remedy
    return _remedy(error).replace("{profile}", _profile_option())


def _remedy(error: Exception) -> str:
    if isinstance(error, AwsFault):
        if (error.call, error.code) == _NO_STACK:
            return "there is no such stack here: check --stack, --region and --profile"
        if error.code in _DENIED and isinstance(error, NoCredentials):
            return "the role cannot be assumed: check the profile's role_arn and the role's trust"
        if error.code in _DENIED:
            return f"these credentials need the permission for {error.call} (docs/operating.md)"
        if error.code in _BY_CODE:
            return _BY_CODE[error.code]
    for kind, remedy in _BY_KIND:
        if isinstance(error, kind):
            return remedy
    return "run it again with --debug to see where"


def _profile_option() -> str:
    name = profile_name()
    return f" --profile {name}" if name else ""
