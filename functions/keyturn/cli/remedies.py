"""What to do about an error, in one line."""

from keyturn.aws.faults import AwsFault, Throttled, Unanswered
from keyturn.aws.keyset_reader import KeysetMissing
from keyturn.aws.settings import InvalidSettings
from keyturn.cli.terminal import Stopped
from keyturn.keyset.errors import ContradictorySettings, DocumentInvalid

_SIGN_IN = "sign in again: these credentials are of no use any more"
_BY_CODE = {
    "NoCredentialsError": "sign in, or name a --profile with credentials",
    "ProfileNotFound": "`aws configure list-profiles` shows the profiles of this machine",
    "NoRegionError": "add --region, or set AWS_REGION",
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "InvalidClientTokenId": _SIGN_IN,
    "UnrecognizedClientException": _SIGN_IN,
    "EndpointConnectionError": "is the network there, and --region a Region?",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
_NO_STACK = ("cloudformation:DescribeStacks", "ValidationError")
_RESTORE = "put the generation back from history/ in the bucket; until then nothing is touched"
_BY_KIND: tuple[tuple[type[Exception], str], ...] = (
    (Throttled, "wait a minute and try again: the account's request quota is used up"),
    (Unanswered, "try again; it may have had its effect all the same"),
    (KeysetMissing, _RESTORE),
    (DocumentInvalid, _RESTORE),
    (ContradictorySettings, "deploy with parameters that hold together (docs/time.md)"),
    (InvalidSettings, "deploy again with that parameter put right"),
)


def remedy_for(error: Exception) -> str:
    """The next thing to try."""
    if isinstance(error, Stopped):
        return error.remedy
    if isinstance(error, AwsFault):
        if (error.call, error.code) == _NO_STACK:
            return "there is no such stack here: check --stack, --region and --profile"
        if error.code in _DENIED:
            return f"these credentials need the permission for {error.call} (docs/operating.md)"
        if error.code in _BY_CODE:
            return _BY_CODE[error.code]
    for kind, remedy in _BY_KIND:
        if isinstance(error, kind):
            return remedy
    return "run it again with --debug to see where"
