"""API Gateway in front of two protected APIs: it asks the authorizer, and remembers for G seconds."""

from collections.abc import Callable
from typing import Any

from tests.cloud.errors import refused
from tests.cloud.wire import Call, Wire

OWN_STAGE = ("api", "v1")
ROUTES = {"api": "GET/whoami", "second1": "GET/invoices"}  # by API


class Gateway:
    """Its cache by API and token; `flushed` is when that of the stack's own API was last emptied."""

    def __init__(self, wire: Wire, result_ttl: float) -> None:
        self._wire, self._ttl = wire, result_ttl
        self._cache: dict[tuple[str, str], tuple[float, Any]] = {}
        self.flushed: float | None = None

    def ask(self, api: str, token: str, authorizer: Callable[[str], Any]) -> bool:
        """Whether the cached policy, or the authorizer's, opens the route; what it raises is never cached."""
        until, policy = self._cache.get((api, token), (0.0, None))
        if self._wire.now() >= until:
            policy = authorizer(token)
            if self._ttl:
                self._cache[api, token] = (self._wire.now() + self._ttl, policy)
        return is_open(policy, api)

    def flush_stage_authorizers_cache(self, restApiId, stageName):  # noqa: N803 - boto3's name
        """FlushStageAuthorizersCache."""

        def effect(_at: float) -> None:
            if (restApiId, stageName) != OWN_STAGE:
                raise refused("NotFoundException", 404)
            self._cache = {
                (api, token): kept for (api, token), kept in self._cache.items() if api != restApiId
            }
            self.flushed = self._wire.now()

        return self._wire.carry(Call("apigateway:Flush", effect, retries=True))


def method_arn(api: str) -> str:
    """The API's one route, as the authorizer is asked about it."""
    return f"arn:aws:execute-api:us-east-1:123456789012:{api}/v1/{ROUTES[api]}"


def is_open(policy: Any, api: str) -> bool:
    """Whether a policy opens the API's route."""
    stage = method_arn(api).removesuffix(f"/{ROUTES[api]}")
    return any(
        statement["Effect"] == "Allow"
        and {method_arn(api), f"{stage}/*"} & set(statement["Resource"])
        for statement in policy["policyDocument"]["Statement"]
    )
