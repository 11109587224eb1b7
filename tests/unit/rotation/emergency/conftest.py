"""What the emergency tests share: executions, tokens, the end."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from keyturn.api import authorize, issue_token
from keyturn.api.caller import Caller
from keyturn.aws.gateway_cache import Stage
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.cloud.gateway import RestGateway
from tests.unit.rotation.execution import Execution
from tests.unit.stage import START


@pytest.fixture
def emergency(start):
    """Start an emergency on these kids."""

    def emergency(*kids, **event) -> Execution:
        return start("emergency", kids=list(kids), **{"reason": "key leaked", **event})

    return emergency


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
def settled(stack, cloud):
    """Insist on what holds after an emergency on these kids, whatever else ran; returns the keyset."""

    def settled(*revoked, unclaimed=0):
        generation, seen = stack.keysets.read(), stack.well_known.read()
        keyset = generation.keyset
        for kid in revoked:
            assert keyset.get(kid).state is State.REVOKED
            assert cloud.kms.state(keyset.get(kid).kms_key_arn) in ("Disabled", "PendingDeletion")
        assert keyset.active
        assert keyset.standby
        assert keyset.standby.published
        assert (seen.generation, set(seen.keys)) == (
            generation.number,
            {k.kid for k in keyset.keys},
        )
        assert {cloud.kms.state(key.kms_key_arn) for key in keyset.keys} == {"Enabled"}
        generations = [document.loads(text) for _, text in sorted(stack.keysets.stored().items())]
        known = {key.kms_key_arn for one in generations for key in one.keyset.all_keys}
        assert len(cloud.kms.keys.keys() - known) == unclaimed
        for kid in revoked:  # once revoked, in no later generation anything else
            history = [one.keyset.find(kid) for one in generations]
            ended = [isinstance(key, EndedKey) for key in history if key]
            assert ended == sorted(ended)
        return keyset

    return settled


@pytest.fixture
def writes_of(stack):
    """The generations that an execution wrote, in order."""

    def writes_of(run):
        stored = stack.keysets.stored()
        generations = (document.loads(stored[number]) for number in sorted(stored))
        return [g for g in generations if g.op_id == run.data["plan"]["op_id"]]

    return writes_of


@pytest.fixture
def jwks(stack):
    """The kids that the JWKS shows."""
    return lambda: set(stack.well_known.read().keys)


@pytest.fixture
def gateway(aws, clients) -> RestGateway:
    """API Gateway's control plane; `flushed` says which stages were flushed, and when."""
    clients.apigateway = RestGateway(aws, START)
    return clients.apigateway


@pytest.fixture
def flushing(booted, gateway, container):
    """A booted stack that is told to flush two stages."""
    return container(flush_targets=(Stage("api1", "v1"), Stage("api2", "prod")))
