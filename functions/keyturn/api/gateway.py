"""API Gateway's three authorizer events, and the answers each of them wants."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from keyturn.access.api import is_api_id
from keyturn.access.routes import RouteScopes
from keyturn.tokens.errors import Code, TokenRefused

NOT_AUTHORIZED: Mapping[str, Any] = {"isAuthorized": False}  # an HTTP API makes it a 403
_SCHEME = "bearer "
_MAX_FIELD = 32_768  # characters; API Gateway passes 10,240 bytes of headers in all


class Unauthorized(Exception):
    """The token is bad: what a REST API turns into 401. The message must be exactly this word.

    An answer cannot say it, and Lambda logs what a handler raises: one line with the traceback.
    """

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class UnknownEvent(ValueError):
    """Not an authorizer event: the function is wired to something else."""


class Call(NamedTuple):
    """A request that waits for our answer."""

    authorization: str | None
    resource: str  # arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>
    http_api: bool

    @classmethod
    def from_event(cls, event: Any) -> Self:
        """The call behind a REST TOKEN, REST REQUEST or HTTP API 2.0 event; raises UnknownEvent."""
        if not isinstance(event, Mapping):
            raise UnknownEvent("the event is not an object")
        if event.get("version") == "2.0":
            resource, http_api = event.get("routeArn"), True
        else:
            resource, http_api = event.get("methodArn"), False
        if not isinstance(resource, str) or resource.count("/") < 2:
            raise UnknownEvent("neither methodArn nor routeArn names a route")
        if event.get("type") == "TOKEN":
            return cls(_text(event.get("authorizationToken")), resource, http_api)
        return cls(_header(event.get("headers")), resource, http_api)

    @property
    def api_id(self) -> str:
        """The id of the API that asks, as API Gateway names it; raises UnknownEvent."""
        name = self.resource.partition("/")[0].rpartition(":")[2]
        if not is_api_id(name):
            raise UnknownEvent("methodArn or routeArn names no API")
        return name

    def bearer_token(self) -> str:
        """The token of `Authorization: Bearer <token>` (RFC 6750 section 2.1)."""
        told = self.authorization or ""
        if told[: len(_SCHEME)].lower() != _SCHEME:
            raise TokenRefused(Code.MISSING)
        if len(told) > _MAX_FIELD:
            raise TokenRefused(Code.TOO_LARGE)
        token = told[len(_SCHEME) :].lstrip(" ")
        if not token:
            raise TokenRefused(Code.MISSING)
        return token

    def allowed(
        self, claims: Mapping[str, Any], routes: Sequence[RouteScopes], context: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """The token is good: exactly the routes that its scopes open.

        A REST API caches this policy for every route, so it does not depend on the route asked.
        """
        scopes = set(claims.get("scope", "").split())
        opened = [route for route in routes if route.scopes <= scopes]
        if self.http_api:
            allowed = not routes or any(self._is(route) for route in opened)
            return {"isAuthorized": allowed, "context": context}
        return {
            "principalId": claims["sub"],
            "policyDocument": _policy(self._stage(), opened if routes else None),
            "context": context,
        }

    def _stage(self) -> str:
        return "/".join(self.resource.split("/", 2)[:2])

    def _is(self, route: RouteScopes) -> bool:
        _, _, method, *path = self.resource.split("/")
        return route.method in (method, "ANY") and _same_path(
            route.path.strip("/").split("/"), path
        )


def _policy(stage: str, opened: Iterable[RouteScopes] | None) -> Mapping[str, Any]:
    if opened is None:
        resources = [f"{stage}/*"]
    else:
        resources = [f"{stage}/{_method(route)}{_wildcard(route.path)}" for route in opened]
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if resources else "Deny",
        "Resource": resources or [f"{stage}/*"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _method(route: RouteScopes) -> str:
    return "*" if route.method == "ANY" else route.method


def _wildcard(path: str) -> str:
    return "/".join("*" if part.startswith("{") else part for part in path.split("/"))


def _same_path(route: Sequence[str], path: Sequence[str]) -> bool:
    return len(route) == len(path) and all(
        part.startswith("{") or part == given for part, given in zip(route, path, strict=True)
    )


def _header(headers: Any) -> str | None:
    if not isinstance(headers, Mapping):
        return None
    return next(
        (
            _text(text)
            for name, text in headers.items()
            if isinstance(name, str) and name.lower() == "authorization"
        ),
        None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
