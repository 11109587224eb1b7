"""What the demo shows, step by step; each step raises `DoesNotHold` unless it holds."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from tests.demo.client import BackgroundClient, Tally

from keyturn.aws.deployment import Deployment
from keyturn.aws.executions import RUNNING
from keyturn.keyset.model import Keyset

TIMES: Mapping[str, int] = {
    "ViewTtl": 1,
    "Propagation": 4,
    "JwksMaxAge": 1,
    "CdnTtl": 0,
    "TokenLifetime": 15,
    "Leeway": 2,
    "ClockSkew": 1,
    "IssuerTimeout": 5,
    "WriteDelay": 5,
    "ResultTtl": 0,
    "RotationPeriod": 40,
    "StaleLimit": 10,
    "DeletionWindow": 7,
}
PARAMETERS: Mapping[str, object] = {**TIMES, "RouteScopes": "GET /whoami=whoami:read"}


class DoesNotHold(Exception):
    """A step of the story did not turn out as promised."""


def hold(truth: bool, otherwise: str) -> None:
    """Raise DoesNotHold(otherwise) unless `truth`."""
    if not truth:
        raise DoesNotHold(otherwise)


def kids(keyset: Keyset) -> dict[str, str]:
    """Every kid's state."""
    return {key.kid: key.state.value for key in keyset.known}


def jwks_kids(deployment: Deployment) -> set[str]:
    """The kids that everyone can see."""
    answer = deployment.fetch(deployment.outputs["JwksUrl"])
    hold(answer.status == 200, f"the JWKS answers {answer.status}")
    return {key["kid"] for key in answer.body["keys"]}


def comes_up(deployment: Deployment) -> str:
    """The stack has an active and a standby key, both in the JWKS."""
    keyset = deployment.keyset
    hold(keyset.active is not None and keyset.standby is not None, f"keys are {kids(keyset)}")
    shown = jwks_kids(deployment)
    hold(shown == set(kids(keyset)), f"the JWKS shows {shown}, the keyset has {kids(keyset)}")
    return "one active and one standby key, both in the JWKS"


def lets_in(deployment: Deployment) -> str:
    """A token opens the route; no token and a changed one do not."""
    token = new_token(deployment)
    answer = deployment.get("/whoami", token)
    hold(answer.status == 200 and answer.body["sub"] == "alice", f"good token: {answer.status}")
    without = deployment.get("/whoami").status
    hold(without == 401, f"without a token: {without}")
    middle = len(token) - 100
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    refused = deployment.get("/whoami", changed).status
    hold(refused == 401, f"one byte changed: {refused}")
    return "200 with the claims, 401 without a token, 401 with one byte changed"


def new_token(deployment: Deployment) -> str:
    """A fresh token for alice."""
    answer = deployment.post_token({"subject": "alice", "scope": "whoami:read"})
    hold(answer.status == 200, f"POST /token: {answer.status} {answer.body}")
    return str(answer.body["access_token"])


def others_verify(deployment: Deployment) -> str:
    """PyJWT, which knows nothing of us, verifies a token from discovery document and JWKS."""
    issuer = deployment.outputs["Issuer"]
    discovery = deployment.fetch(f"{issuer}/.well-known/openid-configuration").body
    hold(discovery["issuer"] == issuer, f"the discovery document names {discovery['issuer']}")
    token = new_token(deployment)
    key = jwt.PyJWKClient(discovery["jwks_uri"]).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="keyturn", issuer=issuer)
    return f"PyJWT {jwt.__version__} verified a token of {claims['sub']} over HTTP"


class Rotation:
    """A rotation under load: started as an operator does, followed from first state to last."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._phase = "before"
        self.superseded = ""
        self.seconds: dict[str, float] = {}
        self.client = BackgroundClient(deployment, lambda: self._phase)

    def run(self, progress: Callable[[str, Tally], None]) -> str:
        """Turn the key while the client goes on; raises DoesNotHold for one refused token."""
        active = self._deployment.keyset.active
        hold(active is not None, "no key is active")
        assert active is not None
        self.superseded = active.kid
        with self.client.running() as tally:
            self._watch(progress, 3)
            execution = self._deployment.rotate(started_by="demo", supersede=active.kid)
            executions = self._deployment.executions
            while executions.status(execution) == RUNNING:
                visits = executions.visits(execution)
                self._phase = visits[-1].state if visits else "before"
                self._watch(progress, 0.2)
            self._phase = "after"
            self._watch(progress, 3)
        visits = executions.visits(execution)
        for visit in visits:
            if visit.left:
                spent = (visit.left - visit.entered).total_seconds()
                self.seconds[visit.state] = round(self.seconds.get(visit.state, 0) + spent, 1)
        status = executions.status(execution)
        hold(status == "SUCCEEDED", f"the execution ended {status} in {visits[-1].state}")
        hold(visits[-1].state == "Rotated", f"the execution ended in {visits[-1].state}")
        return self._verdict(tally)

    def _verdict(self, tally: Tally) -> str:
        hold(not tally.refused, f"{len(tally.refused)} refused, first: {tally.refused[:1]}")
        hold(len(tally.kids) == 2, f"tokens of {len(tally.kids)} keys were seen, not of two")
        hold(tally.accepted["WaitForGrace"] > 0, "nothing was tried while both keys verified")
        return (
            f"{tally.issued.total()} tokens issued, {tally.accepted.total()} calls accepted, "
            "0 valid tokens refused"
        )

    def _watch(self, progress: Callable[[str, Tally], None], seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            progress(self._phase, self.client.tally)
            if time.monotonic() >= until:
                return
            time.sleep(0.25)

    def cleans_up(self) -> str:
        """The old key is gone everywhere; one active and one standby key are left."""
        keyset = self._deployment.keyset
        states = kids(keyset)
        hold(states.get(self.superseded) == "retired", f"the old key is {states}")
        hold(self.superseded not in jwks_kids(self._deployment), "the JWKS still shows the old key")
        old = keyset.get(self.superseded)
        pending = self._deployment.kms.describe(old.kms_key_arn).pending_deletion
        hold(pending, "the old KMS key is not pending deletion")
        live = sorted(key.state.value for key in keyset.keys)
        hold(live == ["active", "standby"], f"live keys are {live}")
        return "old kid retired, out of the JWKS, KMS key pending deletion; one active, one standby"

    def figures(self) -> dict[str, Any]:
        """What `build/demo.json` says of it; phases are the states, and what lay around them."""
        tally = self.client.tally
        refused = Counter(refusal.phase for refusal in tally.refused)
        return {
            "phases": {
                phase: {
                    "issued": tally.issued[phase],
                    "accepted": tally.accepted[phase],
                    "refused": refused[phase],
                }
                for phase in ("before", *self.seconds, "after")
            },
            "refusals": [f"{refusal.phase}: {refusal.what}" for refusal in tally.refused],
            "seconds_per_state": self.seconds,
            "superseded": self.superseded,
        }
