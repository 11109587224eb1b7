"""Who asks for a token: the client that IAM let through, and the principal behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from keyturn.access.client import is_client_name
from keyturn.api.answers import BadRequest, Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """`role` and `session` are for the audit line only; a direct invoke knows neither."""

    client: str | None = None
    role: str | None = None
    session: str | None = None

    @classmethod
    def from_http(cls, event: Mapping[str, Any]) -> Self:
        """From an event of `POST /token/{client}`; what it does not say in full is None.

        The client must be spelled in the path as it is called: IAM decided about the path as it was
        sent, percent-encoded, and `pathParameters` is decoded.
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
        """From the event of a direct invoke, whatever it is."""
        match event:
            case {"client": str(client)} if is_client_name(client):
                return cls(client)
        return cls()


def require_client(caller: Caller, event: Any, *, is_http: bool) -> str:
    """The client; raises Forbidden, and BadRequest where a direct invoke names none."""
    if not is_http and not (isinstance(event, Mapping) and isinstance(event.get("client"), str)):
        raise BadRequest("client", "is required, as a string")
    if is_http and caller.role is None:
        raise Forbidden("client: the caller has no ARN; the route needs IAM auth")
    if caller.client is None:
        raise Forbidden("client: is not a client's name")
    return caller.client


def _parse_arn(arn: str) -> tuple[str, str | None]:
    """An assumed role's ARN without the session; other principals as they are.

    `arn:aws:sts::123456789012:assumed-role/Shop/session` says nothing of the role's path.
    """
    head, _, name = arn.partition(":assumed-role/")
    role, slash, session = name.partition("/")
    if not slash:
        return arn, None
    return f"{head.replace(':sts:', ':iam:', 1)}:role/{role}", session
