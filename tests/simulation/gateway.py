"""API Gateway in front of a protected route: it asks the authorizer, and remembers for G seconds."""

from collections.abc import Callable
from typing import Any

from tests.simulation.cloud.errors import refused
from tests.simulation.cloud.wire import Call, Wire

OWN_STAGE = ("api", "v1")


class Gateway:
    """Its cache by token; `flushed` is when it was last emptied."""

    def __init__(self, wire: Wire, result_ttl: float) -> None:
        self._wire, self._ttl = wire, result_ttl
        self._cache: dict[str, tuple[float, Any]] = {}
        self.flushed: float | None = None

    def ask(self, token: str, authorizer: Callable[[str], Any]) -> Any:
        """The cached policy, or the authorizer's; what it raises is never cached."""
        until, policy = self._cache.get(token, (0.0, None))
        if self._wire.now() < until:
            return policy
        policy = authorizer(token)
        if self._ttl:
            self._cache[token] = (self._wire.now() + self._ttl, policy)
        return policy

    def flush_stage_authorizers_cache(self, restApiId, stageName):  # noqa: N803 - boto3's name
        """FlushStageAuthorizersCache."""

        def effect(_at: float) -> None:
            if (restApiId, stageName) != OWN_STAGE:
                raise refused("NotFoundException", 404)
            self._cache.clear()
            self.flushed = self._wire.now()

        return self._wire.carry(Call("apigateway:Flush", effect, retries=True))
