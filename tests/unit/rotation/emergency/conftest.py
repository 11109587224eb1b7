"""What the emergency tests share: a KMS that minds its keys' states, executions, tokens, the end."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

from keyturn.api import authorize, issue_token
from keyturn.api.caller import Caller
from keyturn.aws.gateway_cache import Stage
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.unit.rotation.emergency.driver import Run

USABLE = {"Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"}


@pytest.fixture(autouse=True)
def strict_kms(monkeypatch):
    """KMS refuses to sign with, or to show, a key that is not enabled: moto does both."""

    def strict(method):
        def strictly(self, key_id, *args, **kwargs):
            state = self.describe_key(key_id).key_state
            if state in USABLE:
                raise JsonRESTError(USABLE[state], f"{key_id} is {state}")
            return method(self, key_id, *args, **kwargs)

        return strictly

    for name in ("sign", "get_public_key"):
        monkeypatch.setattr(KmsBackend, name, strict(getattr(KmsBackend, name)))


@pytest.fixture
def start(stack, invoke, clock):
    """Start an execution: `start()` is the schedule's own."""

    def start(mode="scheduled", **event) -> Run:
        return Run({"mode": mode, "started_by": "tests", **event}, invoke, clock)

    return start


@pytest.fixture
def emergency(start):
    """Start an emergency on these kids."""

    def emergency(*kids, **event) -> Run:
        return start("emergency", kids=list(kids), **{"reason": "key leaked", **event})

    return emergency


@pytest.fixture
def truth(stack):
    """The keyset as it stands."""
    return lambda: stack.keysets.read().keyset


@pytest.fixture
def due(booted, clock):
    """A booted stack whose active key is due to be superseded."""
    clock.advance(booted.times.rotation_period + 1)
    return booted


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
def kms_state(backdoor):
    """The state of a key in KMS."""

    def kms_state(key) -> str:
        metadata = backdoor.kms.describe_key(KeyId=key.kms_key_arn)["KeyMetadata"]
        return metadata["KeyState"]

    return kms_state


@pytest.fixture
def orphans(backdoor, stack):
    """The KMS keys that no keyset generation knows."""

    def orphans() -> set[str]:
        known = {
            key.kms_key_arn
            for number, text in stack.keysets.stored().items()
            for key in document.loads(text).keyset.all_keys
        }
        return {key["KeyArn"] for key in backdoor.kms.list_keys()["Keys"]} - known

    return orphans


@pytest.fixture
def settled(stack, kms_state, orphans):
    """Insist on what holds after an emergency on these kids, whatever else ran; returns the keyset."""

    def settled(*revoked, unclaimed=0):
        generation, seen = stack.keysets.read(), stack.well_known.read()
        keyset = generation.keyset
        for kid in revoked:
            assert keyset.get(kid).state is State.REVOKED
            assert kms_state(keyset.get(kid)) in ("Disabled", "PendingDeletion")
        assert keyset.active
        assert keyset.standby
        assert keyset.standby.published
        assert (seen.generation, set(seen.keys)) == (
            generation.number,
            {k.kid for k in keyset.keys},
        )
        assert {kms_state(key) for key in keyset.keys} == {"Enabled"}
        assert len(orphans()) == unclaimed
        _absorbing(stack, revoked)
        return keyset

    return settled


def _absorbing(stack, revoked) -> None:
    """Once revoked, in no later generation anything else."""
    stored = stack.keysets.stored()
    for kid in revoked:
        history = [document.loads(stored[n]).keyset.find(kid) for n in sorted(stored)]
        ended = [isinstance(key, EndedKey) for key in history if key]
        assert ended == sorted(ended)


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
def gateway(aws, clock, watched_clients, monkeypatch):
    """API Gateway's control plane; `flushed` says which stages were flushed, and when."""
    flushed = []

    def flush(restApiId, stageName):  # noqa: N803 - boto3's names
        aws.note("apigateway:Flush")
        aws.meet("apigateway:Flush", after=False)
        flushed.append((f"{restApiId}/{stageName}", clock.now()))

    client = SimpleNamespace(flush_stage_authorizers_cache=flush, flushed=flushed)
    monkeypatch.setitem(watched_clients[0].__dict__, "apigateway", client)
    return client


@pytest.fixture
def flushing(booted, gateway, container):
    """A booted stack that is told to flush two stages."""
    return container(flush_targets=(Stage("api1", "v1"), Stage("api2", "prod")))
