"""What the emergency tests share: executions, tokens, the end."""

import pytest

from keyturn.aws.gateway_cache import Stage
from tests.cloud.gateway import RestGateway
from tests.unit.stage import START


@pytest.fixture
def gateway(aws, clients) -> RestGateway:
    """API Gateway's control plane; `flushed` says which stages were flushed, and when."""
    clients.apigateway = RestGateway(aws, START)
    return clients.apigateway


@pytest.fixture
def flushing(booted, gateway, container):
    """A booted stack that is told to flush two stages."""
    return container(flush_targets=(Stage("api1", "v1"), Stage("api2", "prod")))
