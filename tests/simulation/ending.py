"""The end of a run: faults stop, and what must hold when all is quiet (L1, S12, S13, S9)."""

from collections.abc import Callable

from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.changes import changes
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.rotation.record_changes import DETAIL_TYPES
from tests.cloud.kms import PENDING
from tests.simulation.scheduler import Crashed, Process
from tests.simulation.watch.broken import insist
from tests.simulation.world import World

_MOST_RUNS = 3  # of reconcile, one of which has to get through all that has piled up
Reconcile = Callable[[], Process]


def finish(world: World, reconcile: Reconcile, begin: float) -> None:
    """Let everything end, reconcile, and check the whole; raises Broken. The script's own part began at `begin`."""
    world.scheduler.run()
    world.plan.over = True
    world.kms.birth_lag = 0.0
    for execution in world.executions:
        insist(execution.over, "L1", "an execution never ends")
    settling = world.limits.settling_time.total_seconds() + 5
    for _ in range(3):
        _reconcile_after(settling, world, reconcile)
    _check(world, begin)
    _reconcile_after(world.limits.orphan_age.total_seconds() + 30, world, reconcile)
    for _ in orphans(world):
        _reconcile_after(settling, world, reconcile)
    insist(not orphans(world), "S12", "a KMS key is left that no keyset knows")
    _check(world, begin)
    world.scheduler.close()


def orphans(world: World) -> list[str]:
    """The ARNs of the KMS keys that were never registered and are not being deleted."""
    return [
        arn
        for arn, key in world.kms.keys.items()
        if not key.foreign and arn not in world.truth.arns and key.states[-1][1] != PENDING
    ]


def _reconcile_after(seconds: float, world: World, reconcile: Reconcile) -> None:
    """A run with so much to do that Lambda kills it is continued by the next one."""
    for _ in range(_MOST_RUNS):
        world.scheduler.run(until=world.now() + seconds)
        process = reconcile()
        world.scheduler.run()
        if not isinstance(process.error, Crashed):
            break
    insist(process.error is None, "L1", f"reconcile fails: {process.error!r}")


def _check(world: World, begin: float) -> None:
    truth, keyset = world.truth, world.truth.keyset
    insist(truth.gone is None, "S13", "what was deleted is not back")
    for kid, life in truth.lives.items():
        live = isinstance(keyset.find(kid), Key) and life.revoked is not None
        insist(not live, "S13", "a revocation was undone")
    world.cutoffs.judge(keyset, undisturbed=not world.plan.met and truth.whole < begin)
    insist(keyset.active is not None, "L1", "no key signs")
    insist(keyset.standby is not None, "L1", "no key stands by")
    is_current = world.jwks.generation == truth.head.number
    insist(is_current, "L1", "the JWKS lags behind the keyset")
    public = world.s3.version(JWKS, world.now())
    is_ours = public is not None and public.body == world.jwks.body
    insist(is_ours, "S13", "the JWKS is somebody else's")
    insist(all(key.published for key in keyset.keys), "L1", "a key is not published")
    for arn, kid in truth.arns.items():
        live = isinstance(keyset.find(kid), Key)
        state = world.kms.keys[arn].states[-1][1]
        name = "live" if live else "ended"
        insist((state == PENDING) != live, "L1", f"a key that is {name} is {state} in KMS")
    chain = _lineage(world)
    _check_announcements(world, chain)
    for generation in chain:
        _check_history(world, generation)


def _check_announcements(world: World, chain: list[Generation]) -> None:
    before = Keyset()
    for generation in chain:
        for change in changes(before, generation.keyset):
            kind = DETAIL_TYPES.get(change.kind)
            is_announced = (kind, change.kid, generation.number) in world.bus.events
            insist(kind is None or is_announced, "S9", f"{kind} was not announced")
        before = generation.keyset


def _check_history(world: World, generation: Generation) -> None:
    """A generation that is no longer in SSM may have been overwritten since, by a principal that may."""
    name = f"history/{generation.number:012d}-{document.digest(generation.text)}.json"
    bodies = [version.body for version in world.s3.objects.get(name, ())]
    if world.ssm.see(f"/keyturn/sim/keyset/{generation.number:012d}", world.now()):
        bodies = bodies[-1:]
    is_kept = generation.text.encode() in bodies
    insist(is_kept, "S13", f"generation {generation.number} is not in the history")


def _lineage(world: World) -> list[Generation]:
    """The head's ancestors and itself: a writer whose listing was garbled twice may leave a branch behind."""
    chain: list[Generation] = []
    for generation in reversed(world.truth.promised):
        if not chain or document.digest(generation.text) == chain[-1].parent:
            chain.append(generation)
    return chain[::-1]
