"""MiniStack's JWT authorizer of an HTTP API: a local stand-in for API Gateway's own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from keyturn.cli.local import REGION, Workshop, start
from tests.verifiers.issuer import AUDIENCE, START, Issuer
from tests.verifiers.lines.api_gateway import protect
from tests.verifiers.web import BACKEND

ROOT = Path(__file__).parents[2]


class Gateway:
    """One MiniStack, a new API for each issuer: it keeps each JWKS by its URL."""

    def __init__(self, endpoint: str, clock: Path, backend: str) -> None:
        self._endpoint, self._clock, self._backend = endpoint, clock, backend
        self._gateway = boto3.client(
            "apigatewayv2",
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        self._api, self._known = "", set[str]()

    def start(self, issuer: Issuer, options: Mapping[str, Any]) -> None:
        """A new API behind an authorizer that knows no key of this issuer yet; it has no options."""
        assert not options
        assert issuer.url not in self._known
        self._known.add(issuer.url)
        self._move_clock(issuer)
        gateway = self._gateway
        self._api = gateway.create_api(Name="orders", ProtocolType="HTTP")["ApiId"]
        gateway.create_stage(ApiId=self._api, StageName="v1", AutoDeploy=True)
        integration = gateway.create_integration(
            ApiId=self._api,
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="GET",
            IntegrationUri=self._backend,
            PayloadFormatVersion="1.0",
        )
        route = gateway.create_route(
            ApiId=self._api,
            RouteKey="GET /orders",
            Target=f"integrations/{integration['IntegrationId']}",
        )
        protect(gateway, self._api, route["RouteId"], issuer.url, AUDIENCE)

    def refusal(self, issuer: Issuer, token: str) -> str | None:
        """The status that the call is refused with, None if it reaches the backend."""
        self._move_clock(issuer)
        url = f"{self._endpoint}/_aws/execute-api/{self._api}/v1/orders"
        answer = self._http.request("GET", url, headers={"Authorization": f"Bearer {token}"})
        assert answer.status in (200, 401), answer.data
        return None if answer.status == 200 else str(answer.status)

    def _move_clock(self, issuer: Issuer) -> None:
        _write(self._clock, issuer.now.timestamp())


@contextmanager
def running(folder: Path, origin: str, authority: Path) -> Iterator[Gateway]:
    """A MiniStack whose wall clock is the issuer's, with its files below `folder`."""
    clock = folder / "clock"
    _write(clock, START.timestamp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYTURN_CLOCK", str(clock))
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "moved_clock"))
        patch.setenv("SSL_CERT_FILE", str(authority))
        server = start(Workshop(ROOT, folder))
    try:
        yield Gateway(server.aws.endpoint, clock, origin + BACKEND)
    finally:
        server.stop()


def _write(clock: Path, seconds: float) -> None:
    fresh = clock.with_suffix(f".{os.getpid()}")
    fresh.write_text(repr(seconds))
    fresh.replace(clock)
