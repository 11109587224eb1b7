"""One client is cut off by the operator's command, while another one goes on."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

from keyturn.aws.operator.deployment import Deployment
from tools.background import in_background
from tools.demo.client import Token
from tools.demo.story import hold, revoke

_PAUSE = 0.1  # seconds between two tries of the old token
_PATIENCE = 60  # seconds that the command may take
OK, UNAVAILABLE = 200, 503
REFUSED = (401, 403)  # by a REST API, by an HTTP API


@dataclass(frozen=True)
class Client:
    """A client's name, the scope that it asks for, and what a token of it opens."""

    name: str
    scope: str
    open: Callable[[str], int]

    def token(self, deployment: Deployment) -> str:
        """A token; waits for as long as the issuer says. Raises DoesNotHold."""
        for _ in range(10):
            answer = deployment.post_token({"scope": self.scope}, client=self.name)
            if answer.status != UNAVAILABLE:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        hold(answer.status == OK, f"POST /token/{self.name}: {answer.status} {answer.body}")
        return str(answer.body["access_token"])


@dataclass(frozen=True)
class Measurement:
    """Of a cut-off: seconds to the first refusal, and what the other client got meanwhile."""

    client: str
    seconds_from_command: float
    seconds_from_write: float
    bound_seconds: float
    accepted_after_bound: int
    other: str
    other_accepted: int
    other_refused: int


def cut_off(deployment: Deployment, client: Client, other: Client) -> Measurement:
    """`keyturn revoke --client`, as an operator types it; raises DoesNotHold."""
    requested, text = time.time(), client.token(deployment)
    old, before = Token.parse(text, requested), deployment.keysets.read().number
    hold(client.open(old.text) == OK, f"{client.name} is not let in before it is cut off")
    with under_load(deployment, other) as statuses:
        commanded = time.time()
        refused, accepted = _try_until_done(
            revoke(deployment, "--client", client.name), client, old
        )
        hold(client.open(client.token(deployment)) == OK, f"{client.name}'s next token is refused")
    written = _written(deployment, before + 1)
    bound = deployment.revocation_bound.total_seconds()
    return Measurement(
        client.name,
        round(refused - commanded, 2),
        round(refused - written, 2),
        bound,
        sum(sent > written + bound for sent in accepted),
        other.name,
        statuses.count(OK),
        len(statuses) - statuses.count(OK),
    )


@contextmanager
def under_load(deployment: Deployment, client: Client) -> Iterator[list[int]]:
    """The client asks for tokens and uses each, over and over; yields the answers' statuses."""
    statuses = list[int]()

    with in_background(Event(), lambda: statuses.append(client.open(client.token(deployment)))):
        yield statuses


def _written(deployment: Deployment, number: int) -> float:
    """When SSM stored this generation."""
    stored = {one.number: one.modified for one in deployment.keysets.list_parameters()}
    return stored[number].timestamp()


def _try_until_done(
    command: subprocess.Popen[str], client: Client, token: Token
) -> tuple[float, list[float]]:
    """When the token was first refused, and when each call was sent that it was accepted in."""
    refused, accepted, until = 0.0, list[float](), time.time() + _PATIENCE
    while command.poll() is None and time.time() < until and not refused:
        sent = time.time()
        status = client.open(token.text)
        if status == OK:
            accepted.append(sent)
        elif status in REFUSED:
            refused = time.time()
        time.sleep(_PAUSE)
    printed, _ = command.communicate(timeout=_PATIENCE)
    hold(command.returncode == 0, f"keyturn revoke --client: {json.loads(printed)['problems']}")
    hold(refused > 0, f"no token of {client.name} was tried and refused")
    hold(refused < token.exp, f"the token of {client.name} expired before it was refused")
    return refused, accepted
