"""What the demo shows of a stack at rest; each step raises DoesNotHold if a promise is broken."""

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jwt

from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset.model import Key, Keyset
from tools.command import KEYTURN

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


def revoke(deployment: Deployment, *what: str) -> subprocess.Popen[str]:
    """`keyturn revoke`, as an operator types it; it goes on beside what follows."""
    words = ("revoke", *what, "--stack", deployment.stack, "--reason", "drill", "--yes", "--json")
    return subprocess.Popen([str(KEYTURN), *words], stdout=subprocess.PIPE, text=True)


def active_key(deployment: Deployment) -> Key:
    """The key that signs; raises DoesNotHold if there is none."""
    active = deployment.keyset.active
    if active is None:
        raise DoesNotHold("no key is active")
    return active


def rotation_of(kid: str, started_by: str) -> dict[str, str]:
    """The input of an execution that supersedes this key."""
    return {"mode": "scheduled", "started_by": started_by, "supersede": kid}


def live_states(keyset: Keyset) -> list[str]:
    """The states of the live keys, sorted."""
    return sorted(key.state.value for key in keyset.keys)


def kids(keyset: Keyset) -> dict[str, str]:
    """Every kid's state."""
    return {key.kid: key.state.value for key in keyset.all_keys}


@dataclass(frozen=True)
class AtRest:
    """A keyset with one active and one standby key."""

    keyset: Keyset
    active: Key
    standby: Key


def at_rest(deployment: Deployment) -> AtRest:
    """The keyset, which must be at rest, and shown by the JWKS exactly."""
    keyset = deployment.keyset
    live = live_states(keyset)
    hold(live == ["active", "standby"], f"live keys are {live}")
    shown = jwks_kids(deployment)
    hold(shown == {key.kid for key in keyset.keys}, f"the JWKS shows {shown}: {kids(keyset)}")
    assert keyset.active is not None
    assert keyset.standby is not None
    return AtRest(keyset, keyset.active, keyset.standby)


def jwks_kids(deployment: Deployment) -> set[str]:
    """The kids that everyone can see."""
    answer = deployment.fetch(deployment.outputs["JwksUrl"])
    hold(answer.status == 200, f"the JWKS answers {answer.status}")
    return {key["kid"] for key in answer.body["keys"]}


def comes_up(deployment: Deployment) -> str:
    """The stack has an active and a standby key, both in the JWKS."""
    at_rest(deployment)
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


def reach(deployment: Deployment, execution: str, state: str) -> None:
    """Wait until the execution enters this state, for a minute; raises DoesNotHold."""
    wait_until(
        lambda: state in [visit.state for visit in deployment.executions.visits(execution)],
        60,
        f"the execution did not reach {state} within a minute",
    )


def wait_until(
    condition: Callable[[], bool], seconds: int, otherwise: str, *, pause: float = 0.25
) -> None:
    """Pause until the condition is true; raises DoesNotHold(otherwise) after this many seconds."""
    for _ in range(int(seconds / pause)):
        if condition():
            return
        time.sleep(pause)
    raise DoesNotHold(otherwise)
