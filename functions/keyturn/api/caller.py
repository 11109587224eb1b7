"""Who requests a token: the client, which IAM has authorized, and the principal behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from keyturn.access.client import is_client_name
from keyturn.api.answers import BadRequest, Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller; `role` and `session` are for the audit line only, unknown in a direct invoke."""

    client: str | None = None
    role: str | None = None
    session: str | None = None

    @classmethod
    def from_http(cls, event: Mapping[str, Any]) -> Self:
        """From an event of `POST /token/{client}`; whatever the event lacks is None.

        The path must contain the client's name literally: IAM has authorized the path as it was
        sent, percent-encoded, whereas `pathParameters` is decoded.
        """
        role, session = None, None
        match event["requestContext"]:
            case {"identity": {"userArn": str(arn)}} if arn:
                role, session = _parse_arn(arn)
        match event:
            case {"path": str(path), "pathParameters": {"client": str(client)}} if is_client_name(
                client
            ) and path.endswith(f"/token/{client}"):
                return cls(client, role, session)
        return cls(None, role, session)

    @classmethod
    def from_invoke(cls, event: Any) -> Self:
        """From the event of a direct invoke, which may be any JSON."""
        match event:
            case {"client": str(client)} if is_client_name(client):
                return cls(client)
        return cls()


def require_client(caller: Caller, event: Any, *, is_http: bool) -> str:
    """The client's name; raises Forbidden, or BadRequest if a direct invoke names no client."""
    if not is_http and not (isinstance(event, Mapping) and isinstance(event.get("client"), str)):
        raise BadRequest("client", "is required, as a string")
    if is_http and caller.role is None:
        raise Forbidden("client: the caller has no ARN; the route needs IAM auth")
    if caller.client is None:
        raise Forbidden("client: is not a client's name")
    return caller.client


def _parse_arn(arn: str) -> tuple[str, str | None]:
    """The role's ARN and the session's name for an assumed role; other principals' ARNs unchanged.

    `arn:aws:sts::123456789012:assumed-role/Shop/session` does not contain the role's path.
    """
    head, _, name = arn.partition(":assumed-role/")
    role, slash, session = name.partition("/")
    if not slash:
        return arn, None
    return f"{head.replace(':sts:', ':iam:', 1)}:role/{role}", session
