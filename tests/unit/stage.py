"""The unit tests' clock, and their wire to the fakes of tests/cloud."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from types import ModuleType, SimpleNamespace
from typing import Any, TypedDict, Unpack

from botocore.exceptions import HTTPClientError, ReadTimeoutError

from keyturn.aws.clock import Clock
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.cutoffs import Claim, CutOff
from keyturn.keyset.lineage import trace
from keyturn.keyset.model import Generation, Key, Keyset
from tests.cloud.account import Account
from tests.cloud.errors import refused
from tests.cloud.wire import Call

Effect = Callable[[], object]
KEYSET = "/keyturn/demo/keyset"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
_CONTEXT = SimpleNamespace(
    function_name="keyturn",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:keyturn",
    aws_request_id="request-1",
)


def invoke(module: ModuleType, event: Any) -> Any:
    """Call a Lambda handler as Lambda does: JSON in, JSON out, and a context."""
    answer = module.handler(json.loads(json.dumps(event)), _CONTEXT)
    return json.loads(json.dumps(answer))


class FakeClock(Clock):
    """A Clock that moves only when a test advances it."""

    def __init__(self) -> None:
        self.wall, self.ticks, self.fixed_fraction = START, 1000.0, 0.5
        self.slept: list[float] = []
        self._ids = 0

    def now(self) -> datetime:
        """The wall clock."""
        return self.wall

    def monotonic(self) -> float:
        """The monotonic clock."""
        return self.ticks

    def sleep(self, seconds: float) -> None:
        """Return at once, later."""
        self.slept.append(seconds)
        self.advance(seconds)

    def fraction(self) -> float:
        """Always the same."""
        return self.fixed_fraction

    def new_id(self) -> str:
        """Ids that count: id-1, id-2."""
        self._ids += 1
        return f"id-{self._ids}"

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds


class When(TypedDict, total=False):
    """Which attempts are meant, and whether the effect comes before or after them."""

    after: bool
    nth: int
    times: float


@dataclass
class Intrusion:
    """What happens at attempts `nth` to `nth + times - 1` of an operation (`kms:Sign`, `ssm:*`)."""

    operation: str
    effect: Effect
    after: bool = False
    nth: int = 1
    times: float = 1
    seen: int = 0

    def meet(self, operation: str, after: bool) -> None:
        """Count the attempt, and act if it is its turn."""
        if self.after is not after or not fnmatch(operation, self.operation):
            return
        self.seen += 1
        if not self.nth <= self.seen < self.nth + self.times:
            return
        self.effect()

    def end(self) -> None:
        """No more of it."""
        self.times = 0


class Wire:
    """Carries each call at once; every call, every attempt at one, and what a test does to them.

    As botocore does, it repeats what was not answered if the client retries (tests/unit/aws/test_clients.py).
    """

    timeout = ReadTimeoutError(endpoint_url="https://aws.example")
    error = staticmethod(refused)

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget all calls and intrusions."""
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.attempts: list[str] = []
        self._intrusions: list[Intrusion] = []

    @property
    def operations(self) -> list[str]:
        """The calls made, as `service:Operation`."""
        return [operation for operation, _ in self.calls]

    def params(self, operation: str) -> list[Mapping[str, Any]]:
        """The parameters of all calls of one operation."""
        return [params for name, params in self.calls if name == operation]

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What the event bus has received: detail types with their details."""
        entries = [entry for call in self.params("events:PutEvents") for entry in call["Entries"]]
        return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in entries]

    def fail(self, operation: str, error: Exception, **when: Unpack[When]) -> Intrusion:
        """Let attempts fail, before or after they had their effect."""

        def refuse() -> None:
            raise error

        return self.meanwhile(operation, refuse, **when)

    def meanwhile(self, operation: str, effect: Effect, **when: Unpack[When]) -> Intrusion:
        """Let something else happen just before or after an attempt."""
        intrusion = Intrusion(operation, effect, **when)
        self._intrusions.append(intrusion)
        return intrusion

    def now(self) -> float:
        """See tests.cloud.wire.Wire."""
        return (self._clock.wall - START).total_seconds()

    def carry(self, call: Call) -> Any:
        """See tests.cloud.wire.Wire."""
        self.calls.append((call.operation, call.arguments))
        if call.retries:
            try:
                return self._attempt(call)
            except HTTPClientError:
                pass
        return self._attempt(call)

    def _attempt(self, call: Call) -> Any:
        self.attempts.append(call.operation)
        self._meet(call.operation, after=False)
        answer = call.effect(self.now())
        self._meet(call.operation, after=True)
        return answer

    def _meet(self, operation: str, *, after: bool) -> None:
        for intrusion in list(self._intrusions):
            intrusion.meet(operation, after)


def settle(cloud: Account, stack: Stack, keyset: Keyset) -> Generation:
    """Replace the stack's keyset by any other, also by one that no writer could produce."""
    latest = stack.keysets.read()
    cloud.ssm.delete([f"{KEYSET}/{one.name}" for one in cloud.ssm.stored(KEYSET)])
    root = replace(latest, number=latest.number + 1, parent="", keyset=keyset)
    cloud.ssm.put(f"{KEYSET}/{root.number:012d}", document.dumps(root))
    return stack.keysets.read()


def declare(cloud: Account, name: str, **members: object) -> None:
    """Declare a client, as a team's own template does; it takes the audience `orders` by default."""
    text = json.dumps({"audiences": ["orders"], **members})
    cloud.ssm.put(f"/keyturn/demo/clients/{name}", text, overwrite=True)


def truth(cloud: Account) -> Keyset:
    """The keyset that SSM holds, read past the wire."""
    lineage = trace(cloud.ssm.stored(KEYSET))
    assert lineage, "there is no keyset"
    return lineage.head.keyset


def active_key(keyset: Keyset) -> Key:
    """The key that signs, where there must be one."""
    assert keyset.active, "no key is active"
    return keyset.active


def standby_key(keyset: Keyset) -> Key:
    """The key that signs next, where there must be one."""
    assert keyset.standby, "there is no standby"
    return keyset.standby


def active_kid(cloud: Account) -> str:
    """The kid of the active key, where there must be one."""
    return active_key(truth(cloud)).kid


def standby_kid(cloud: Account) -> str:
    """The kid of the standby, where there must be one."""
    return standby_key(truth(cloud)).kid


def grace_until(keyset: Keyset, kid: str) -> datetime:
    """The instant until which a superseded key verifies, where there must be one."""
    key = keyset.get(kid)
    assert isinstance(key, Key), f"the key is {key.state}"
    assert key.verify_until, f"the key is {key.state}"
    return key.verify_until


def client_cutoff(keyset: Keyset, client: str) -> CutOff:
    """The cut-off of a client, given as a digest, where there must be one."""
    cutoff = keyset.cutoff(Claim.CLIENT, client)
    assert cutoff, "the client is not cut off"
    return cutoff
