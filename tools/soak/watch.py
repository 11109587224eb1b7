"""Every generation, the JWKS and the keys in KMS, read again and again."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from keyturn.aws.keyset.reader import LOOK_AHEAD
from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset import document
from keyturn.keyset.model import Generation
from keyturn.keyset.states import State
from tools.background import in_background
from tools.demo.story import live_states

_PAUSE = 1.0
_ROUNDING = timedelta(seconds=1)  # of the instant at which KMS says that it created a key
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class UnclaimedKey:
    """An enabled KMS key that is not a live key, and how the runs ended in which it was created."""

    arn: str
    endings: tuple[str, ...]

    @property
    def explained(self) -> bool:
        """Whether one of them could leave a key: a run that reached its goal must not."""
        return any(not ending.endswith((" Rotated", " Revoked")) for ending in self.endings)


class Watch:
    """The states that the stack was in, and the problems in reading them."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._stop = threading.Event()
        self._next = deployment.keysets.read().number
        self._latest: Generation | None = None
        self.generations = self.largest_document = self.largest_jwks = 0
        self.revoked: dict[str, float] = {}  # by kid: when, in epoch seconds
        self.alone: dict[str, float] = {}  # kids that signed while no other did: since when
        self.problems: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Read every second for as long as the block lasts, and once more at its end."""
        with in_background(self._stop, self._observe):
            yield
        self._observe()

    @property
    def states(self) -> list[str]:
        """Of the live keys, in the latest generation."""
        return live_states(self._latest.keyset) if self._latest else []

    def _observe(self) -> None:
        try:
            self._read_generations()
            jwks = self._deployment.fetch(self._deployment.outputs["JwksUrl"]).body["keys"]
            self.largest_jwks = max(self.largest_jwks, len(jwks))
        except Exception as error:
            self.problems.append(f"{time.strftime('%H:%M:%S')} {type(error).__name__}: {error}")
        self._stop.wait(_PAUSE)

    def _read_generations(self) -> None:
        while True:
            path = f"/keyturn/{self._deployment.stack}/keyset"
            numbers = range(self._next, self._next + LOOK_AHEAD)
            names = [f"{path}/{number:012d}" for number in numbers]
            answer = self._deployment.clients.ssm.get_parameters(Names=names)
            texts = {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
            for name in names:
                if name not in texts:
                    return
                self.largest_document = max(self.largest_document, len(texts[name].encode()))
                self._note(document.loads(texts[name]))
                self._next += 1

    def _note(self, generation: Generation) -> None:
        before = self._latest.keyset.active if self._latest else None
        active = generation.keyset.active
        if active and self._latest and before is None and active.activated:
            self.alone.setdefault(active.kid, active.activated.timestamp())
        for key in generation.keyset.ended:
            if key.state is State.REVOKED:
                self.revoked.setdefault(key.kid, key.ended.timestamp())
        self._latest = generation
        self.generations += 1

    def stored_and_old(self, age: float) -> tuple[int, int]:
        """How many generations SSM holds, and how many of them are older than `age` seconds."""
        generations = self._deployment.keysets.read_generations()
        limit = time.time() - age
        return len(generations), sum(g.at.timestamp() < limit for g in generations)

    def unclaimed_keys(self) -> list[UnclaimedKey]:
        """Enabled keys of the stack that are not live, each with what may have left it."""
        live = {key.kms_key_arn for key in self._deployment.keyset.keys}
        keys = self._deployment.kms.list_own()
        unclaimed = [key for key in keys if key.enabled and key.arn not in live]
        return [UnclaimedKey(key.arn, tuple(self._endings(key.created))) for key in unclaimed]

    def _endings(self, created: datetime) -> Iterator[str]:
        executions = self._deployment.executions
        for status in ENDED:
            for one in executions.latest(self._deployment.outputs["StateMachineArn"], status):
                if one.started <= created + _ROUNDING and one.stopped and created <= one.stopped:
                    yield f"{status} in {executions.visits(one.arn)[-1].state}"
