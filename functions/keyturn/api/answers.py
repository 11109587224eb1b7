"""The HTTP form of our answers (API Gateway proxy integration, RFC 6749 section 5.2)."""

import json
from collections.abc import Mapping
from typing import Any


def json_response(status: int, body: Mapping[str, Any], **headers: str) -> dict[str, Any]:
    """A JSON response that must not be cached (RFC 6749 section 5.1)."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **headers},
        "body": json.dumps(body),
    }


class Refusal(Exception):
    """The request is answered with an error."""

    status = 500
    error = "server_error"
    headers: Mapping[str, str] = {}
    metric: str | None = None  # in addition to TokensRefused (docs/signals.md)

    def body(self) -> dict[str, str]:
        """`{"error", "error_description"}`."""
        return {"error": self.error, "error_description": str(self)}

    def to_http(self) -> dict[str, Any]:
        """The same as an HTTP response."""
        return json_response(self.status, self.body(), **self.headers)


class BadRequest(Refusal):
    """The request is invalid; the description begins with the field's name."""

    status = 400

    def __init__(self, field: str, problem: str, error: str = "invalid_request") -> None:
        super().__init__(f"{field}: {problem}")
        self.error = error


class Forbidden(Refusal):
    """The client has no document, or is blocked."""

    status = 403
    error = "unauthorized_client"


class ClientBlocked(Forbidden):
    """An operator has blocked the client; it is refused until it is released."""

    metric = "RequestsBlocked"

    def __init__(self) -> None:
        super().__init__("client: is blocked")


class Unavailable(Refusal):
    """Temporarily unavailable; `retry_after` in seconds (RFC 9110 section 10.2.3)."""

    status = 503
    error = "temporarily_unavailable"

    def __init__(self, problem: str, retry_after: int = 1) -> None:
        super().__init__(problem)
        self.headers = {"Retry-After": str(retry_after)}


class JustCutOff(Unavailable):
    """A cut-off would refuse the token: its time is a few seconds later than its write."""

    metric = "RequestsCutOff"

    def __init__(self, retry_after: int) -> None:
        super().__init__("tokens of this client or subject have just been revoked", retry_after)
