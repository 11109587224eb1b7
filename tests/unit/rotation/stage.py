"""What the rotation tests ask of a stack, and what they hand to a step."""

import json
from dataclasses import replace
from types import SimpleNamespace

from keyturn.access.grant import TokenRequest
from keyturn.api import authorize, issue_token
from keyturn.api.caller import Caller
from keyturn.aws.keyset.well_known import JWKS
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.model import Generation, Keyset
from keyturn.keyset.states import State
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.cloud.account import Account
from tests.unit.rotation.execution import Execution
from tests.unit.stage import truth


def assert_at_rest(stack: Stack, cloud: Account) -> Generation:
    """Assert that nothing is under way or left over (L1, S4, S10); returns the generation."""
    keyset = assert_recovered(stack, cloud)
    assert not keyset.grace
    states = {arn: cloud.kms.state(arn) for arn in cloud.kms.keys}
    assert {states[key.kms_key_arn] for key in keyset.ended} <= {"PendingDeletion"}
    assert len(states) == len(keyset.all_keys)
    return stack.keysets.read()


def assert_recovered(stack: Stack, cloud: Account, *revoked: str) -> Keyset:
    """Assert that these keys are revoked and disabled, and that all others are live and published."""
    generation, jwks = stack.keysets.read(), stack.well_known.read()
    keyset = generation.keyset
    for kid in revoked:
        key = keyset.get(kid)
        assert key.state is State.REVOKED
        assert cloud.kms.state(key.kms_key_arn) in ("Disabled", "PendingDeletion")
    assert keyset.active
    assert keyset.standby
    assert keyset.standby.published
    assert jwks
    assert jwks.generation == generation.number
    assert set(jwks.keys) == {key.kid for key in keyset.keys}
    assert {cloud.kms.state(key.kms_key_arn) for key in keyset.keys} == {"Enabled"}
    return keyset


def planned(cloud: Account, *, op_id="op-1", kid=None, **plan):
    """The execution's data when a step in the middle starts, by default with the standby."""
    keyset = truth(cloud)
    supersede = keyset.active.kid if keyset.active else None
    kid = kid or (keyset.standby.kid if keyset.standby else "k" * 43)
    return {
        "mode": "scheduled",
        "started_by": "tests",
        "plan": {"op_id": op_id, "reason": "trying", "supersede": supersede, **plan},
        "standby": {"outcome": "exists", "kid": kid},
    }


def stored_jwks(cloud):
    """The JWKS in the bucket: its generation and kids."""
    version = cloud.s3.objects[JWKS][-1]
    kids = {key["kid"] for key in json.loads(version.body)["keys"]}
    return int(version.metadata["keyturn-generation"]), kids


def generations_written_by(stack, execution):
    """The generations that an execution wrote, in order."""
    stored = stack.keysets.read_texts()
    generations = (document.loads(stored[number]) for number in sorted(stored))
    op_id = execution.data["plan"]["op_id"]
    return [generation for generation in generations if generation.op_id == op_id]


def start_emergency(start, *kids, **event) -> Execution:
    """Start an emergency on these kids."""
    return start("emergency", kids=list(kids), **{"reason": "key leaked", **event})


def api(stack, **changes) -> SimpleNamespace:
    """Another container, with its own view, that issues tokens and checks them."""
    own = Stack(replace(stack.settings, **changes), clock=stack.clock, clients=stack.clients)
    request = TokenRequest(subject="user-1", scope="orders:read")

    def check(token: str) -> str:
        try:
            parsed = UnverifiedToken.parse(token)
            authorize.authenticate(own, parsed, authorize.read_generation(own, parsed.kid))
        except TokenRefused as refusal:
            return str(refusal.code)
        return "ok"

    return SimpleNamespace(
        issue=lambda: issue_token.issue(own, request, Caller("shop"), "shop")["access_token"],
        check=check,
    )
