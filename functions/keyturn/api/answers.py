"""The HTTP shapes of our answers (API Gateway proxy integration, RFC 6749 section 5.2)."""

import json
from collections.abc import Mapping
from typing import Any


def json_response(status: int, body: Mapping[str, Any], **headers: str) -> dict[str, Any]:
    """A JSON answer that nobody caches (RFC 6749 section 5.1)."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **headers},
        "body": json.dumps(body),
    }


class Refusal(Exception):
    """A request that is answered with an error."""

    status = 500
    error = "server_error"
    headers: Mapping[str, str] = {}
    metric: str | None = None  # beside TokensRefused (docs/signals.md)

    def body(self) -> dict[str, str]:
        """`{"error", "error_description"}`."""
        return {"error": self.error, "error_description": str(self)}

    def to_http(self) -> dict[str, Any]:
        """The same over HTTP."""
        return json_response(self.status, self.body(), **self.headers)


class BadRequest(Refusal):
    """The caller's fault; the description begins with the field's name."""

    status = 400

    def __init__(self, field: str, problem: str, error: str = "invalid_request") -> None:
        super().__init__(f"{field}: {problem}")
        self.error = error


class Forbidden(Refusal):
    """No document says what this client may have, or it is blocked."""

    status = 403
    error = "unauthorized_client"


class ClientBlocked(Forbidden):
    """An operator refuses the client until it is released."""

    metric = "RequestsBlocked"

    def __init__(self) -> None:
        super().__init__("client: is blocked")


class Unavailable(Refusal):
    """Not now; `retry_after` in seconds (RFC 9110 section 10.2.3)."""

    status = 503
    error = "temporarily_unavailable"

    def __init__(self, problem: str, retry_after: int = 1) -> None:
        super().__init__(problem)
        self.headers = {"Retry-After": str(retry_after)}


class JustCutOff(Unavailable):
    """The token would be hit by a cut-off, whose instant lies a few seconds ahead of its write."""

    metric = "RequestsCutOff"

    def __init__(self, retry_after: int) -> None:
        super().__init__("tokens of this client or subject have just been revoked", retry_after)
