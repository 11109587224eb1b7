"""API Gateway's control plane: which APIs have which authorizers, and which stages were flushed."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.cloud.wire import Call, Listing, Wire


class RestGateway:
    """boto3's apigateway, as far as the product calls it; `apis` holds the authorizers of each API."""

    def __init__(self, wire: Wire, epoch: datetime) -> None:
        self._wire, self._epoch = wire, epoch
        self.apis: dict[str, list[dict[str, Any]]] = {}
        self.flushed: list[tuple[str, datetime]] = []

    def get_paginator(self, name: str) -> Listing:
        """The two listings that the product requests."""
        pages: dict[str, Callable[..., Iterator[Any]]]
        pages = {"get_rest_apis": self._rest_apis, "get_authorizers": self._of_api}
        return Listing(pages[name])

    def flush_stage_authorizers_cache(self, restApiId, stageName) -> None:  # noqa: N803 - boto3's
        """FlushStageAuthorizersCache."""

        def effect(at: float) -> None:
            self.flushed.append((f"{restApiId}/{stageName}", self._epoch + timedelta(seconds=at)))

        self._wire.carry(Call("apigateway:Flush", effect, retries=True))

    def _rest_apis(self) -> Iterator[Any]:
        yield self._carry("GetRestApis", lambda _at: {"items": [{"id": one} for one in self.apis]})

    def _of_api(self, restApiId) -> Iterator[Any]:  # noqa: N803
        yield self._carry("GetAuthorizers", lambda _at: {"items": self.apis[restApiId]})

    def _carry(self, name: str, effect: Callable[[float], Any]) -> Any:
        return self._wire.carry(Call(f"apigateway:{name}", effect, retries=True))


class HttpGateway:
    """boto3's apigatewayv2, as far as the product calls it; `apis` holds the authorizers of each API."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.apis: dict[str, list[dict[str, Any]]] = {}

    def get_paginator(self, name: str) -> Listing:
        """The two listings that the product requests."""
        pages: dict[str, Callable[..., Iterator[Any]]]
        pages = {"get_apis": self._all, "get_authorizers": self._of_api}
        return Listing(pages[name])

    def _all(self) -> Iterator[Any]:
        yield self._carry("GetApis", lambda _at: {"Items": [{"ApiId": one} for one in self.apis]})

    def _of_api(self, ApiId) -> Iterator[Any]:  # noqa: N803
        yield self._carry("GetAuthorizers", lambda _at: {"Items": self.apis[ApiId]})

    def _carry(self, name: str, effect: Callable[[float], Any]) -> Any:
        return self._wire.carry(Call(f"apigatewayv2:{name}", effect, retries=True))
