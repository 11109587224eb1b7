"""The operator's credentials and Region: chosen once, and checked before anything else is done."""

import warnings
from getpass import GetPassWarning

from botocore.exceptions import NoCredentialsError, NoRegionError

from keyturn.aws.clients import session
from keyturn.aws.faults import AwsFault, NoCredentials, translate_errors

MFA_WITHOUT_TERMINAL = "MfaWithoutTerminal"
_CALL = "AWS credentials"


def use_session(profile: str | None, region: str | None) -> None:
    """Make every client and signature of this process use this profile and Region.

    A value of None comes from the environment, then from the profile. Raises NotSent if there is no
    Region or no such profile, NoCredentials if there are no usable credentials, Unreachable.
    """
    session.cache_clear()
    aws_session = session()
    for name, value in (("profile", profile), ("region", region)):
        if value:
            aws_session.set_config_variable(name, value)
    with translate_errors("AWS configuration"):
        if not aws_session.get_config_variable("region"):
            raise NoRegionError
    _check_credentials()


def _check_credentials() -> None:
    """Get the credentials as the first call would: assume the role, ask for the MFA code."""
    try:
        with translate_errors(_CALL), warnings.catch_warnings():
            # Without a terminal getpass would read the code from stdin, which may hold a token.
            warnings.simplefilter("error", GetPassWarning)
            credentials = session().get_credentials()
            if credentials is None:
                raise NoCredentialsError
            credentials.get_frozen_credentials()
    except AwsFault:
        raise
    except (GetPassWarning, EOFError):
        raise NoCredentials(_CALL, MFA_WITHOUT_TERMINAL) from None
    except Exception as error:  # noqa: BLE001 - botocore reads files, processes and caches
        raise NoCredentials(_CALL, type(error).__name__) from None


def profile_name() -> str | None:
    """The profile in use, if one was named."""
    name = session().get_config_variable("profile")
    return str(name) if name else None
