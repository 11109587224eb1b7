"""One run: the stack as it begins, and what scripts and seeds make happen in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from keyturn.keyset.model import Generation, Origin
from keyturn.keyset.timing import Times
from keyturn.rotation import reconcile, record_changes
from tests.cloud.material import key_material
from tests.simulation import ending
from tests.simulation.direct import revoke_directly
from tests.simulation.executions import Execution
from tests.simulation.scheduler import Process
from tests.simulation.traffic import Traffic
from tests.simulation.watch.broken import insist
from tests.simulation.watch.keys import ROLLED_BACK
from tests.simulation.world import World

_RECONCILE_TIMEOUT = 120.0


@dataclass
class Play:
    """A run, which begins `begin` seconds after its stack was created."""

    world: World
    traffic: Traffic
    begin: float = 0.0

    @classmethod
    def of_world(cls, world: World) -> "Play":
        """A run in this world, which is empty as yet."""
        play = cls(world, Traffic(world))
        world.truth.on_landing = play._landed
        return play

    @classmethod
    def founded(cls, times: Times, **circumstances: Any) -> "Play":
        """A stack with an empty keyset; `circumstances` are World's."""
        play = cls.of_world(World(times, key_material(), **circumstances))
        play.found(1)
        play.world.scheduler.run()
        return play

    @classmethod
    def booted(cls, times: Times, **circumstances: Any) -> "Play":
        """A stack with an active and a published standby key, whose active key is due."""
        play = cls.founded(times, **circumstances)
        play.rotate()
        play.world.scheduler.run()
        play.begin = play.world.now() + times.rotation_period
        play.world.scheduler.run(until=play.begin)
        return play

    def finish(self) -> None:
        """Let everything end, and check the whole; raises Broken."""
        ending.finish(self.world, self.reconcile, self.begin)

    def found(self, number: int) -> None:
        """Write an empty keyset as this generation; a deployment that fails is repeated."""
        container = self.world.container("keyset")
        origin = Origin("op-0", "cloudformation", "create")
        process = self.world.scheduler.spawn(
            lambda: container.stack.keysets.create(number, origin), container
        )

        def repeat() -> None:
            if process.error:
                self.world.scheduler.at(self.world.now() + 5, lambda: self.found(number))

        process.waiters.append(repeat)

    def _landed(self, generation: Generation) -> None:
        self.traffic.landed(generation)
        world = self.world
        is_heard = generation.number % 2 if world.hurried else world.choose.random() < 0.8
        if is_heard:  # SSM's events come on a best-effort basis
            world.scheduler.at(world.now() + 0.5, self._record)

    def _record(self) -> Process:
        container = self.world.container("RecordChanges")
        return self.world.call(record_changes, {}, container, self.world.times.write_delay)

    # ---- what can happen

    def at(self, seconds: float, act: Callable[[], Any]) -> None:
        """Do this so many seconds after the beginning."""
        self.world.scheduler.at(self.begin + seconds, act)

    def rotate(self, **request: Any) -> Execution:
        """The schedule's event, or an operator's rotation with `supersede`."""
        return Execution(self.world, {"mode": "scheduled", "started_by": "schedule", **request})

    def reconcile(self) -> Process:
        """The schedule of every ten minutes."""
        container = self.world.container("reconcile")
        return self.world.call(reconcile, {}, container, _RECONCILE_TIMEOUT)

    def supersede(self) -> None:
        """An operator asks for a rotation of the key that signs."""
        if active := self.world.truth.keyset.active:
            self.rotate(supersede=active.kid)

    def roll_back(self) -> None:
        """An operator wants the youngest grace key to sign again."""
        if grace := self.world.truth.keyset.grace:
            request = {"kid": grace[-1].kid, "reason": ROLLED_BACK, "started_by": "operator"}
            Execution(self.world, {"mode": "rollback", **request})

    def emergency(self, choose: Callable[["Play"], list[str]]) -> None:
        """An operator revokes keys by the state machine."""
        if kids := choose(self):
            Execution(self.world, self._emergency(kids))

    def break_glass(self, choose: Callable[["Play"], list[str]]) -> None:
        """An operator revokes keys directly."""

        def check_reason() -> None:
            world = self.world
            is_undisturbed = world.truth.whole < self.begin and world.truth.gone is None
            assert world.plan.met or len(world.executions) > 1 or not is_undisturbed

        if kids := choose(self):
            revoke_directly(self.world, self._emergency(kids), on_failure=check_reason)

    def _emergency(self, kids: list[str]) -> dict[str, Any]:
        self.world.truth.asked |= set(kids)
        return {"mode": "emergency", "kids": kids, "reason": "leaked", "started_by": "operator"}

    def lose_the_keyset(self) -> None:
        """Every generation is deleted by hand; the stack is deployed again over the rest."""
        world = self.world
        for name, parameter in world.ssm.parameters.items():
            if "/keyset/" in name:
                parameter.deleted = world.now()
        world.truth.lose()
        world.cutoffs.lose()
        number = world.truth.head.number + 1
        world.scheduler.at(world.now() + world.lag + 1, lambda: self.found(number))

    def delete(self, names: Iterable[str]) -> None:
        """Parameters are deleted by hand; SSM's event or reconcile restores what that hides."""
        world = self.world
        world.ssm.delete(names)
        world.truth.deleted()
        if world.hurried or world.choose.random() < 0.8:
            world.scheduler.at(world.now() + 0.5, lambda: self._restored_by(self._record))
        within = world.limits.settling_time.total_seconds()  # for the ten minutes of the schedule
        at = world.now() + (within if world.hurried else world.choose.uniform(1, within))
        world.scheduler.at(at, lambda: self._restored_by(self.reconcile))

    def _restored_by(self, run: Callable[[], Process]) -> None:
        """Run the repair, and insist on its success if nothing else went on meanwhile."""
        world = self.world
        if world.truth.was_lost:
            return
        met, stirred = len(world.plan.met), world.ssm.stirred
        process = run()

        def judge() -> None:
            is_quiet = (len(world.plan.met), world.ssm.stirred) == (met, stirred)
            is_hidden = world.truth.gone is not None
            insist(
                not (is_hidden and is_quiet and process.error is None),
                "S13",
                "what was deleted is not back",
            )

        process.waiters.append(judge)
