"""What the rotation tests ask of a stack, and what they hand to a step."""

from dataclasses import replace
from types import SimpleNamespace

from keyturn.access.grant import TokenRequest
from keyturn.api import authorize, issue_token
from keyturn.api.caller import Caller
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.model import EndedKey, Generation
from keyturn.keyset.states import State
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.cloud.account import Account
from tests.unit.rotation.execution import Execution
from tests.unit.stage import truth


def at_rest(stack: Stack, cloud: Account, *, orphans: int = 0) -> Generation:
    """Insist on the final state of everything (L1, S4, S10); returns the generation."""
    generation, seen = stack.keysets.read(), stack.well_known.read()
    keyset = generation.keyset
    assert keyset.active
    assert keyset.standby
    assert keyset.standby.published
    assert not keyset.grace
    assert seen
    assert seen.generation == generation.number
    assert set(seen.keys) == {keyset.active.kid, keyset.standby.kid}
    states = {arn: cloud.kms.state(arn) for arn in cloud.kms.keys}
    assert {states[key.kms_key_arn] for key in keyset.keys} == {"Enabled"}
    assert {states[key.kms_key_arn] for key in keyset.ended} <= {"PendingDeletion"}
    assert len(states) == len(keyset.all_keys) + orphans
    return generation


def planned(cloud: Account, *, op_id="op-1", kid=None, **plan):
    """The execution's data as a step in the middle finds them, by default for the standby."""
    keyset = truth(cloud)
    supersede = keyset.active.kid if keyset.active else None
    kid = kid or (keyset.standby.kid if keyset.standby else "k" * 43)
    return {
        "mode": "scheduled",
        "started_by": "tests",
        "plan": {"op_id": op_id, "reason": "trying", "supersede": supersede, **plan},
        "standby": {"outcome": "exists", "kid": kid},
    }


def settled(stack, cloud, *revoked, unclaimed=0):
    """Insist on what holds after an emergency on these kids, whatever else ran; returns the keyset."""
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
    generations = [document.loads(text) for _, text in sorted(stack.keysets.read_texts().items())]
    known = {key.kms_key_arn for one in generations for key in one.keyset.all_keys}
    assert len(cloud.kms.keys.keys() - known) == unclaimed
    for kid in revoked:  # once revoked, in no later generation anything else
        history = [one.keyset.find(kid) for one in generations]
        ended = [isinstance(key, EndedKey) for key in history if key]
        assert ended == sorted(ended)
    return keyset


def writes_of(stack, run):
    """The generations that an execution wrote, in order."""
    stored = stack.keysets.read_texts()
    generations = (document.loads(stored[number]) for number in sorted(stored))
    return [g for g in generations if g.op_id == run.data["plan"]["op_id"]]


def emergency(start, *kids, **event) -> Execution:
    """Start an emergency on these kids."""
    return start("emergency", kids=list(kids), **{"reason": "key leaked", **event})


def api(stack, **changes) -> SimpleNamespace:
    """Another container, with a view of its own: it issues tokens and looks at them."""
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
        stack=own,
        issue=lambda: issue_token.issue(own, request, Caller("shop"), "shop")["access_token"],
        check=check,
    )
