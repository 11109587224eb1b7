"""API Gateway's authorizer events (REST, HTTP and WebSocket APIs), and the answers they expect."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from keyturn.access.api import is_api_id
from keyturn.access.routes import CONNECT, RouteTable
from keyturn.tokens.errors import Code, TokenRefused

NOT_AUTHORIZED: Mapping[str, Any] = {"isAuthorized": False}  # an HTTP API turns it into 403
MAX_ARN = 512  # characters of a policy's resource: "Output from an API Gateway Lambda authorizer"
MAX_RESULT = 8192  # bytes: "AWS Lambda authorizer result size" of WebSocket APIs, L-20859C74
_SCHEME = "bearer "
_encode = json.JSONEncoder(separators=(",", ":")).encode
# Characters that are wildcards or variables in a policy; inside `${}` they are literal. IAM User
# Guide, "IAM policy elements: Variables and tags".
_SPECIAL = re.compile(r"[*?]|\$(?=\{)")
_MAX_FIELD = 32_768  # characters; API Gateway passes 10,240 bytes of headers in all


class Unauthorized(Exception):
    """The token is invalid. A REST API turns this into 401 if the message is exactly this word.

    An answer cannot express it. Lambda logs whatever a handler raises, as one line with the
    traceback.
    """

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class UnknownEvent(ValueError):
    """Not an authorizer event: something else invoked the function."""


class Call(NamedTuple):
    """A request to authorize."""

    authorization: str | None
    resource: str  # arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>
    is_http_api: bool
    chosen_route: str | None = None  # `GET /orders/{id}` or `/orders/{id}`, if known

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """The call behind a REST TOKEN, REST or WebSocket REQUEST, or HTTP API 2.0 event.

        Raises UnknownEvent.
        """
        if not isinstance(event, Mapping):
            raise UnknownEvent("the event is not an object")
        is_http_api = event.get("version") == "2.0"
        resource = event.get("routeArn" if is_http_api else "methodArn")
        if not isinstance(resource, str) or resource.count("/") < 2:
            raise UnknownEvent("neither methodArn nor routeArn names a route")
        if event.get("type") == "TOKEN":
            return cls(_text(event.get("authorizationToken")), resource, is_http_api)
        chosen_route = _text(event.get("routeKey" if is_http_api else "resource"))
        return cls(_find_authorization(event.get("headers")), resource, is_http_api, chosen_route)

    @property
    def api_id(self) -> str:
        """The id of the API that the request is for; raises UnknownEvent."""
        name = self.resource.partition("/")[0].rpartition(":")[2]
        if not is_api_id(name):
            raise UnknownEvent("methodArn or routeArn names no API")
        return name

    def bearer_token(self) -> str:
        """The bearer token (RFC 6750 section 2.1); raises TokenRefused."""
        header = self.authorization or ""
        if header[: len(_SCHEME)].lower() != _SCHEME:
            raise TokenRefused(Code.MISSING)
        if len(header) > _MAX_FIELD:
            raise TokenRefused(Code.TOO_LARGE)
        token = header[len(_SCHEME) :].lstrip(" ")
        if not token:
            raise TokenRefused(Code.MISSING)
        return token

    def allow(
        self, claims: Mapping[str, Any], table: RouteTable | None, context: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """The answer for a valid token: what its scopes open by the table, or the whole stage."""
        scopes = frozenset(claims.get("scope", "").split())
        arn, stage, route = self.resource.split("/", 2)
        stage = f"{arn}/{stage}"
        if self.is_http_api:
            allowed = table is None or self._is_open(table, route, scopes)
            return {"isAuthorized": allowed, "context": context}
        return {
            "principalId": claims["sub"],
            "policyDocument": _policy(stage, *self._patterns(table, stage, route, scopes)),
            "context": context,
        }

    def _patterns(
        self, table: RouteTable | None, stage: str, route: str, scopes: frozenset[str]
    ) -> tuple[Sequence[str], Sequence[str]]:
        """What to allow and what to deny, after the stage.

        A policy that API Gateway caches for all routes is independent of the requested one. Any
        other policy names only the requested route, so that a cache we do not know of refuses the
        others.
        """
        if table is None:
            return ("*",), ()
        if table.shared is not None and route != CONNECT:
            return table.shared.patterns(scopes)
        pattern = _SPECIAL.sub(r"${\g<0>}", route)
        if len(stage) + 1 + len(pattern) > MAX_ARN or not self._is_open(table, route, scopes):
            return (), ()
        return (pattern,), ()

    def _is_open(self, table: RouteTable, route: str, scopes: frozenset[str]) -> bool:
        method, slash, path = route.partition("/")
        return table.opens(method, slash + path, self.chosen_route, scopes)


def build_context(claims: Mapping[str, Any]) -> dict[str, str]:
    """The integration's context. API Gateway passes no objects, so the claims are one JSON text."""
    return {
        "sub": claims["sub"],
        "client_id": claims["client_id"],
        "jti": claims["jti"],
        "scope": claims.get("scope", ""),
        "claims": _encode(claims),
    }


def result_size(claims: Mapping[str, Any]) -> int:
    """The size in bytes of the largest answer for these claims; the issuer signs up to MAX_RESULT.

    Such an answer, for a WebSocket or REST API, has one method with an ARN of MAX_ARN characters.
    An HTTP API gets no policy. For the longer policy that a REST API may cache, no limit is
    documented.
    """
    answer = {
        "principalId": claims["sub"],
        "policyDocument": _policy("", [(MAX_ARN - 1) * "x"], []),
        "context": build_context(claims),
    }
    return len(json.dumps(answer))  # as Lambda encodes it, or longer: non-ASCII is escaped


def _policy(stage: str, allowed: Sequence[str], denied: Sequence[str]) -> Mapping[str, Any]:
    statements = [("Allow", allowed), ("Deny", denied if allowed else ["*"])]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Action": "execute-api:Invoke",
                "Effect": effect,
                "Resource": [f"{stage}/{pattern}" for pattern in patterns],
            }
            for effect, patterns in statements
            if patterns
        ],
    }


def _find_authorization(headers: Any) -> str | None:
    if not isinstance(headers, Mapping):
        return None
    return next(
        (_text(text) for name, text in headers.items() if name.lower() == "authorization"),
        None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
