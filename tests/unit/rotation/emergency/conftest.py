"""What the emergency tests share: executions, tokens, the end."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from keyturn.api import authorize, issue_token
from keyturn.api.caller import Caller
from keyturn.aws.gateway_cache import Stage
from keyturn.aws.stack import Stack
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.cloud.gateway import RestGateway
from tests.unit.stage import START


@pytest.fixture
def api(stack):
    """Another container, with a view of its own: it issues tokens and looks at them."""

    def api(**changes) -> SimpleNamespace:
        own = Stack(replace(stack.settings, **changes), clock=stack.clock, clients=stack.clients)
        request = issue_token.TokenRequest(subject="user-1", scope="orders:read")

        def check(token: str) -> str:
            try:
                parsed = UnverifiedToken.parse(token)
                authorize.authenticate(own, parsed, authorize.read_generation(own, parsed.kid))
            except TokenRefused as refusal:
                return str(refusal.code)
            return "ok"

        return SimpleNamespace(
            stack=own,
            issue=lambda: issue_token.issue(own, request, Caller("shop"), "shop")["access_token"],
            check=check,
        )

    return api


@pytest.fixture
def gateway(aws, clients) -> RestGateway:
    """API Gateway's control plane; `flushed` says which stages were flushed, and when."""
    clients.apigateway = RestGateway(aws, START)
    return clients.apigateway


@pytest.fixture
def flushing(booted, gateway, container):
    """A booted stack that is told to flush two stages."""
    return container(flush_targets=(Stage("api1", "v1"), Stage("api2", "prod")))
