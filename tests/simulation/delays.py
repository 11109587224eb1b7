"""AWS as late as its documentation allows, with the product's own periods and limits.

Each case is played with the delays off, typical and worst. Nothing fails for good, so nothing may: no
execution, no deployment, and no KMS key more than are needed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from keyturn.aws.custom_resource import CustomResource
from keyturn.keyset.timing import Limits
from keyturn.rotation import keyset_resource
from tests.cloud.material import key_material
from tests.cloud.states import CloudFormationClient, StatesClient
from tests.periods import DEFAULTS
from tests.simulation import faults
from tests.simulation.executions import Execution
from tests.simulation.passage import INVOKE, Outage
from tests.simulation.play import Play
from tests.simulation.scenarios import active, every_key
from tests.simulation.watch.broken import insist
from tests.simulation.world import EPOCH, World

_MINUTE = 60.0
_MARGIN = 40.0  # seconds for everything that is not a delay
_KEYSET_TIMEOUT = 840.0
_CREATE = CustomResource.model_validate(
    {
        "RequestType": "Create",
        "ResponseURL": "https://example.com",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Keyset",
    }
)


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds until KMS knows a key, the tagging API a tag, IAM a role, Lambda has concurrency again."""

    birth: float = 0.0  # KMS Developer Guide, "AWS KMS eventual consistency": several minutes
    slow_hosts: frozenset[str] = frozenset()  # the KMS calls that all of `birth` concerns
    tag: float = 0.0  # Resource Groups Tagging API: eventually consistent
    role: float = 0.0  # IAM User Guide, "Changes that I make are not always immediately visible"
    throttled: float = 0.0  # Lambda Developer Guide, "Lambda quotas": concurrency of the account


_EARLY = 0.1  # of `birth`, after which the other KMS calls know a key
ALL: Mapping[str, Delays] = {
    "off": Delays(),
    "typical": Delays(birth=2, tag=30, role=5, throttled=5),
    "worst": Delays(birth=300, tag=300, role=60, throttled=60),
    "worst for signers": Delays(birth=300, slow_hosts=frozenset({"Sign"})),
    "worst for who describes keys": Delays(birth=300, slow_hosts=frozenset({"DescribeKey"})),
}


def first_start(delays: Delays) -> Play:
    """A new stack: its roles are refused, its keys unknown; the deployment ends well all the same."""
    play = _fresh(delays)
    world = play.world
    world.plan.outages = (Outage("*", 0, delays.role, faults.denied),)
    world.clients.states = StatesClient(
        world, EPOCH, lambda text: Execution(world, json.loads(text))
    )
    world.clients.cloudformation = CloudFormationClient(world, "stack", "CREATE_IN_PROGRESS")
    container = world.container("keyset")
    settings = replace(container.stack.settings, state_machine="arn:machine")
    container.stack.settings = settings
    process = world.scheduler.spawn(
        lambda: keyset_resource.run(container.stack, _CREATE), container
    )
    world.scheduler.at(
        _KEYSET_TIMEOUT, lambda: world.scheduler.crash(process), unless=lambda: process.over
    )
    world.scheduler.run()
    insist(process.error is None, "L1", f"the first start fails: {process.error!r}")
    return _finished(play, keys=2)


def rotation(delays: Delays) -> Play:
    """A rotation by hand: one key more."""
    play = _booted(delays)
    play.at(0, play.supersede)
    return _finished(play, keys=3)


def emergency_on_every_key(delays: Delays) -> Play:
    """Two keys more; tokens are issued, and verifiers know the key, once KMS does."""
    play = _booted(delays)
    world = play.world
    play.at(0, lambda: play.emergency(every_key))

    def signs() -> None:
        key = world.truth.keyset.active
        insist(key is not None, "L3", "no key signs, though KMS knows the new one")
        insist(bool(key and key.kid in world.jwks.shown), "L3", "the JWKS lacks the key that signs")

    play.at(delays.birth + delays.throttled + _MARGIN, signs)
    return _finished(play, keys=4)


def emergency_on_a_newborn(delays: Delays) -> Play:
    """The key that signs is minutes old when it is revoked; what is called disabled is."""
    play = _booted(delays)
    play.at(0, lambda: play.emergency(every_key))
    play.at(delays.birth * 0.5 + delays.throttled + _MARGIN, lambda: play.emergency(active))
    return _finished(play, may_fail=True)


def emergency_without_concurrency(delays: Delays) -> Play:
    """Traffic takes all of Lambda's concurrency: the keys are out seconds after it lets go."""
    play = _booted(delays)
    world = play.world
    throttled = Outage(INVOKE, play.begin, play.begin + delays.throttled, faults.throttle)
    world.plan.outages = (throttled,)
    revoked = [key.kid for key in world.truth.keyset.keys if key.state == "active"]
    play.at(0, lambda: play.emergency(active))

    def is_out() -> None:
        live = [key.kid for key in world.truth.keyset.keys if key.kid in revoked]
        insist(not live, "L2", "the key is not revoked, though Lambda has concurrency")

    play.at(delays.throttled + 10, is_out)
    return _finished(play, keys=3)


CASES: Mapping[str, Callable[[Delays], Play]] = {
    case.__name__.replace("_", " "): case
    for case in (
        first_start,
        rotation,
        emergency_on_every_key,
        emergency_on_a_newborn,
        emergency_without_concurrency,
    )
}
RUNS: Mapping[str, Callable[[], Play]] = {
    f"{name}, delays {how}": partial(case, delays)
    for name, case in CASES.items()
    for how, delays in ALL.items()
}


def plays() -> Iterator[Callable[[], Play]]:
    """The runs in which a mutant of a wait shows."""
    yield from reversed([*RUNS.values()])


def _fresh(delays: Delays) -> Play:
    world = World(DEFAULTS, key_material(), limits=Limits())
    play = Play.of_world(world)
    world.kms.birth_lag, world.kms.tag_lag = delays.birth, delays.tag
    if delays.slow_hosts:
        world.kms.host = lambda call: 1.0 if call in delays.slow_hosts else _EARLY
    return play


def _booted(delays: Delays) -> Play:
    """With keys that are a day old, and a reconcile every ten minutes from then on."""
    play = _fresh(delays)
    world = play.world
    world.kms.birth_lag = 0.0
    play.found(1)
    world.scheduler.run()
    play.rotate()
    world.scheduler.run()
    play.begin = world.now() + 1440 * _MINUTE
    world.scheduler.run(until=play.begin)
    world.kms.birth_lag = delays.birth
    for number in range(1, 7):
        play.at(number * 10 * _MINUTE, play.reconcile)
    return play


def _finished(play: Play, *, keys: int = 0, may_fail: bool = False) -> Play:
    """Every execution ended well, with so many KMS keys in all."""
    play.world.scheduler.run()
    for execution in play.world.executions:
        insist(may_fail or not execution.failure, "L1", f"an execution failed: {execution.failure}")
    created = len(play.world.kms.keys)
    insist(not keys or created == keys, "S12", f"{created} KMS keys, where {keys} suffice")
    play.finish()
    return play
