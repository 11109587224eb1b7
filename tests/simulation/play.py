"""One run from the boot to the end: what happens in it, and what must hold when all is quiet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from keyturn.aws.keyset.well_known import JWKS
from keyturn.cli.break_glass import run_directly
from keyturn.cli.terminal import CommandFailed
from keyturn.keyset import document
from keyturn.keyset.changes import changes
from keyturn.keyset.model import Generation, Key, Keyset, Origin
from keyturn.keyset.timing import Times
from keyturn.rotation import reconcile, record_changes
from keyturn.rotation.record_changes import DETAIL_TYPES
from tests.cloud.kms import PENDING
from tests.cloud.material import key_material
from tests.simulation.executions import Execution
from tests.simulation.scheduler import Crashed, Process
from tests.simulation.traffic import Traffic
from tests.simulation.watch.broken import insist
from tests.simulation.watch.truth import ROLLED_BACK
from tests.simulation.world import World

_RECONCILE_TIMEOUT = 120.0
_MOST_RUNS = 3  # until what has piled up is made up for


@dataclass
class Play:
    """A run on its way: what scripts and seeds use to make things happen."""

    world: World
    traffic: Traffic
    begin: float = 0.0

    @classmethod
    def booted(cls, times: Times, **circumstances: Any) -> "Play":
        """A stack with an active and a published standby key, whose active key is due."""
        play = cls.founded(times, **circumstances)
        play.rotate()
        play.world.scheduler.run()
        play.begin = play.world.now() + times.rotation_period
        play.world.scheduler.run(until=play.begin)
        return play

    @classmethod
    def founded(cls, times: Times, **circumstances: Any) -> "Play":
        """A stack with an empty keyset; `circumstances` are World's."""
        world = World(times, key_material(), **circumstances)
        play = cls(world, Traffic(world))
        world.truth.on_landing = play._landed
        play.found(1)
        world.scheduler.run()
        return play

    def _landed(self, generation: Generation) -> None:
        self.traffic.landed(generation)
        world = self.world
        is_heard = generation.number % 2 if world.hurried else world.choose.random() < 0.8
        if is_heard:  # SSM's events come on a best-effort basis
            world.scheduler.at(world.now() + 0.5, self._record)

    def _record(self) -> Process:
        container = self.world.container("RecordChanges")
        return self.world.call(record_changes, {}, container, self.world.times.write_delay)

    def delete(self, names: Iterable[str]) -> None:
        """Somebody deletes parameters; what was hidden is back by SSM's event, or by reconcile."""
        world = self.world
        world.ssm.delete(names)
        world.truth.deleted()
        if world.hurried or world.choose.random() < 0.8:
            world.scheduler.at(world.now() + 0.5, lambda: self._restored_by(self._record))
        within = world.limits.settling_time.total_seconds()  # for the ten minutes of the schedule
        at = world.now() + (within if world.hurried else world.choose.uniform(1, within))
        world.scheduler.at(at, lambda: self._restored_by(self.reconcile))

    def _restored_by(self, run: Callable[[], Process]) -> None:
        """Have it repaired, and insist on it, where nothing else went on meanwhile."""
        world = self.world
        if world.truth.was_lost:
            return

        def disturbances() -> tuple[int, int]:
            return len(world.plan.met), world.ssm.stirred

        before = disturbances()
        process = run()

        def judge() -> None:
            hidden = world.truth.gone is not None
            put = world.ssm.stirred - before[1]
            quiet = process.error is None and len(world.plan.met) == before[0] and not put
            insist(not (hidden and quiet), "S13", "what was deleted is not back")

        process.waiters.append(judge)

    def found(self, number: int) -> None:
        """Write an empty keyset as this generation."""
        container = self.world.container("keyset")
        origin = Origin("op-0", "cloudformation", "create")
        process = self.world.scheduler.spawn(
            lambda: container.stack.keysets.create(number, origin), container
        )
        process.waiters.append(lambda: self._found_again(number, process))

    def _found_again(self, number: int, process: Process) -> None:
        """A deployment that failed is tried again."""
        if process.error:
            self.world.scheduler.at(self.world.now() + 5, lambda: self.found(number))

    # ---- what can happen

    def at(self, seconds: float, act: Callable[[], Any]) -> None:
        """Do this so many seconds after the beginning."""
        self.world.scheduler.at(self.begin + seconds, act)

    def rotate(self, **asked: Any) -> Execution:
        """The schedule's event, or an operator's rotation with `supersede`."""
        return Execution(self.world, {"mode": "scheduled", "started_by": "schedule", **asked})

    def supersede(self) -> None:
        """An operator asks for a rotation of the key that signs."""
        if active := self.world.truth.keyset.active:
            self.rotate(supersede=active.kid)

    def roll_back(self) -> None:
        """An operator wants the youngest grace key to sign again."""
        if grace := self.world.truth.keyset.grace:
            told = {"kid": grace[-1].kid, "reason": ROLLED_BACK, "started_by": "operator"}
            Execution(self.world, {"mode": "rollback", **told})

    def emergency(self, choose: Callable[["Play"], list[str]]) -> None:
        """An operator revokes keys by the state machine."""
        if kids := choose(self):
            self.world.truth.asked |= set(kids)
            Execution(self.world, _emergency(kids))

    def break_glass(self, choose: Callable[["Play"], list[str]]) -> None:
        """An operator revokes keys by hand."""
        kids = choose(self)
        if not kids:
            return
        self.world.truth.asked |= set(kids)
        container = self.world.container("break_glass")
        stack: Any = container.stack
        terminal: Any = SimpleNamespace(say=lambda _text: None)

        def run() -> None:
            try:
                run_directly(terminal, stack, _emergency(kids), lambda: None)
            except CommandFailed:
                world = self.world
                is_undisturbed = world.truth.whole < self.begin and world.truth.gone is None
                assert world.plan.met or len(world.executions) > 1 or not is_undisturbed

        self.world.scheduler.spawn(run, container)

    def lose_the_keyset(self) -> None:
        """Somebody deletes every generation by hand; the stack is deployed anew over what is left."""
        world = self.world
        for name, parameter in world.ssm.parameters.items():
            if "/keyset/" in name:
                parameter.deleted = world.now()
        world.truth.lose()
        world.cutoffs.lose()
        number = world.truth.landed[-1][1].number + 1
        world.scheduler.at(world.now() + world.lag + 1, lambda: self.found(number))

    def reconcile(self) -> Any:
        """The schedule of every ten minutes."""
        container = self.world.container("reconcile")
        return self.world.call(reconcile, {}, container, _RECONCILE_TIMEOUT)

    # ---- how it ends

    def finish(self) -> None:
        """Faults stop; everything ends; reconcile makes it whole (L1, S12). Raises Broken."""
        world = self.world
        world.scheduler.run()
        world.plan.over = True
        world.kms.birth_lag = 0.0
        for execution in world.executions:
            insist(execution.over, "L1", "an execution never ends")
        for _ in range(3):
            self._reconcile_after(world.limits.settling_time.total_seconds() + 5)
        self._is_whole()
        self._sweep()
        self._is_whole()
        world.scheduler.close()

    def _sweep(self) -> None:
        self._reconcile_after(self.world.limits.orphan_age.total_seconds() + 30)
        for _ in self.orphans():
            self._reconcile_after(self.world.limits.settling_time.total_seconds() + 5)
        insist(not self.orphans(), "S12", "a KMS key is left that no keyset knows")

    def _reconcile_after(self, seconds: float) -> None:
        """A run that has so much to make up for that Lambda kills it is gone on with by the next one."""
        for _ in range(_MOST_RUNS):
            self.world.scheduler.run(until=self.world.now() + seconds)
            process = self.reconcile()
            self.world.scheduler.run()
            if not isinstance(process.error, Crashed):
                break
        insist(process.error is None, "L1", f"reconcile fails: {process.error!r}")

    def _is_whole(self) -> None:
        world = self.world
        keyset = world.truth.keyset
        insist(world.truth.gone is None, "S13", "what was deleted is not back")
        for kid, life in world.truth.lives.items():
            live = isinstance(keyset.find(kid), Key) and life.revoked is not None
            insist(not live, "S13", "a revocation was undone")
        undisturbed = not world.plan.met and world.truth.whole < self.begin
        world.cutoffs.judge(keyset, undisturbed=undisturbed)
        insist(keyset.active is not None, "L1", "no key signs")
        insist(keyset.standby is not None, "L1", "no key stands by")
        top = world.truth.landed[-1][1].number
        insist(world.jwks.generation == top, "L1", "the JWKS lags behind the keyset")
        public = world.s3.version(JWKS, world.now())
        is_ours = public is not None and public.body == world.jwks.body
        insist(is_ours, "S13", "the JWKS is somebody else's")
        insist(all(key.published for key in keyset.keys), "L1", "a key is not published")
        for arn, kid in world.truth.arns.items():
            live = isinstance(keyset.find(kid), Key)
            state = world.kms.keys[arn].states[-1][1]
            insist((state == PENDING) != live, "L1", f"a key that is {'live' if live else 'ended'} is {state} in KMS")  # fmt: skip

        self._everything_was_told()
        self._everything_was_kept()

    def _everything_was_kept(self) -> None:
        """What is no longer in SSM may have been written over since, by somebody who may."""
        for generation in self._counting():
            body = generation.text.encode()
            name = f"history/{generation.number:012d}-{document.digest(generation.text)}.json"
            bodies = [version.body for version in self.world.s3.objects.get(name, ())]
            parameter = f"/keyturn/sim/keyset/{generation.number:012d}"
            if self.world.ssm.see(parameter, self.world.now()):
                bodies = bodies[-1:]
            insist(body in bodies, "S13", f"generation {generation.number} is not kept")

    def _everything_was_told(self) -> None:
        before = Keyset()
        for generation in self._counting():
            for change in changes(before, generation.keyset):
                kind = DETAIL_TYPES.get(change.kind)
                told = (kind, change.kid, generation.number) in self.world.bus.told
                insist(kind is None or told, "S9", f"nobody was told of {kind}")
            before = generation.keyset

    def _counting(self) -> list[Generation]:
        """What came to count: a writer whose listing was garbled twice follows what is no longer the head."""
        chain: list[Generation] = []
        for generation in reversed(self.world.truth.promised):
            if not chain or document.digest(generation.text) == chain[-1].parent:
                chain.append(generation)
        return chain[::-1]

    def orphans(self) -> list[str]:
        """The ARNs of the KMS keys that were never registered and are not being deleted."""
        world = self.world
        return [
            arn
            for arn, key in world.kms.keys.items()
            if not key.foreign and arn not in world.truth.arns and key.states[-1][1] != PENDING
        ]


def _emergency(kids: list[str]) -> dict[str, Any]:
    told = {"reason": "leaked", "started_by": "operator"}
    return {"mode": "emergency", "kids": kids, **told}
