"""Two emergencies and a rotation in any order of their states, and in the middle of each other's."""

import random
from itertools import chain, count
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from keyturn.aws.stack import Stack
from keyturn.keyset.model import Origin
from keyturn.keyset.states import State
from keyturn.rotation import reconcile
from tests.unit.rotation.emergency.driver import Run, turns
from tests.unit.rotation.emergency.invariants import Watch
from tests.unit.rotation.emergency.memory import Memory
from tests.unit.rotation.emergency.paths import GREEN


@pytest.fixture
def scene(clock, settings, rsa_keys, site, invoke, monkeypatch):
    """A booted stack in memory whose active key is due, executions in it, and its invariants."""
    more = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in count())
    memory = Memory(clock, chain(rsa_keys, more))
    stack = Stack(settings, clock=clock, clients=memory.clients)
    monkeypatch.setattr(Stack, "of_environment", lambda: stack)
    monkeypatch.setattr(site, "read", lambda path: memory.objects[path.lstrip("/")]["Body"])

    def start(mode="scheduled", **event) -> Run:
        return Run({"mode": mode, "started_by": "tests", **event}, invoke, clock)

    stack.keysets.found(1, Origin("op-1", "tests", "trying"))
    start().finish()
    clock.advance(stack.times.rotation_period + 1)
    scene = SimpleNamespace(memory=memory, stack=stack, clock=clock, start=start)
    scene.watch = Watch(memory, stack)
    scene.reconcile = lambda: invoke(reconcile, {})
    return scene


def at_rest(scene, kids) -> None:
    """L1 after a reconcile; the kids of the emergencies have ended, in KMS too."""
    scene.clock.advance(scene.stack.ages.settle.total_seconds() + 1)
    scene.reconcile()
    scene.watch.look()
    generation, seen = scene.stack.keysets.read(), scene.stack.well_known.read()
    keyset = generation.keyset
    assert keyset.active
    assert keyset.standby
    assert keyset.standby.published
    assert (seen.generation, set(seen.keys)) == (generation.number, {k.kid for k in keyset.keys})
    for kid in kids:
        key = keyset.get(kid)
        assert key.state in (State.REVOKED, State.RETIRED)
        assert scene.memory.keys[key.kms_key_arn].state != "Enabled"


def unclaimed(scene) -> list:
    """The KMS keys that are in no keyset and that nobody is deleting."""
    known = {key.kms_key_arn for g in scene.watch.generations for key in g.keyset.known}
    keys = scene.memory.keys.items()
    return [arn for arn, key in keys if arn not in known and key.state != "PendingDeletion"]


def some(choose, keyset) -> list[str]:
    """One to three of the keys as they are now, most often the one that signs."""
    kids = [key.kid for key in keyset.keys]
    active = [keyset.active.kid] if keyset.active and choose.random() < 0.6 else []
    picked = choose.sample(kids, choose.randint(0, len(kids)))
    return list(dict.fromkeys(active + picked)) or kids[:1]


class Scheduler:
    """Picks the next state by the seed, and breaks into steps of others between their AWS calls."""

    def __init__(self, scene, choose, runs, breaking: float) -> None:
        self._scene, self._choose, self._runs, self._breaking = scene, choose, runs, breaking
        self._inside: list[Run] = []
        scene.memory.before = self._between_calls

    def pick(self, able: list[Run]) -> SimpleNamespace:
        """One of those that can go on."""
        run = self._choose.choice(able)
        return SimpleNamespace(step=lambda: self._step(run))

    def _step(self, run: Run) -> None:
        self._inside.append(run)
        run.step()
        self._inside.pop()
        self._scene.watch.look()

    def _between_calls(self, _operation: str) -> None:
        others = [r for r in self._runs if r not in self._inside and not (r.ended or r.asleep)]
        if self._inside and others and self._choose.random() < self._breaking:
            self._step(self._choose.choice(others))


@pytest.mark.parametrize("seed", range(250))
def test_two_emergencies_and_a_rotation(scene, seed):
    """The invariants hold after every state, every execution ends green, and all is whole again."""
    choose = random.Random(seed)
    truth = lambda: scene.stack.keysets.read().keyset  # noqa: E731
    if choose.random() < 0.5:  # a grace key, and its run in the wait
        waiting = scene.start().until("WaitForGrace")
        scene.clock.advance(choose.choice([0, 11, 25]))
    else:
        waiting = scene.start()
    rotation = scene.start(supersede=truth().active.kid)
    kids = some(choose, truth())
    runs = [waiting, rotation, scene.start("emergency", kids=kids, reason="leaked")]
    scene.watch.issue()
    scheduler = Scheduler(scene, choose, runs, breaking=choose.choice([0, 0.02, 0.1]))
    late = choose.randint(1, 25)

    def each() -> None:
        nonlocal late
        late -= late > 0
        if late == 0 and truth().keys:  # the second one is about the keys as they are by then
            more = some(choose, truth())
            late = -1
            kids.extend(more)
            runs.append(scene.start("emergency", kids=more, reason="leaked, too"))
        if choose.random() < 0.2:
            scene.watch.issue()
        if choose.random() < 0.1:
            scene.clock.advance(choose.choice([0.3, 1, 5]))

    while left := [run for run in runs if not run.ended]:
        turns(*left, steps=1, pick=scheduler.pick, each=each)

    scene.memory.before = lambda operation: None
    for run in runs:
        wanted = {"Revoked"} if run.data["mode"] == "emergency" else GREEN
        assert run.ended in wanted, run.error
    assert truth().active  # the emergencies themselves see to that, not reconcile
    assert truth().standby
    assert len(unclaimed(scene)) <= len(runs) - 1  # those that lost a race to register
    at_rest(scene, kids)
    scene.clock.advance(scene.stack.ages.orphan.total_seconds() + 1)
    scene.reconcile()
    scene.reconcile()
    assert unclaimed(scene) == []  # S12
