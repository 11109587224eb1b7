"""What happens in no run of the simulator, but needs permissions: a stack's birth and end, tampering, caches."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from keyturn.aws.edge_cache import EdgeCache
from keyturn.aws.gateway_cache import Stage
from keyturn.aws.keyset.well_known import JWKS
from keyturn.aws.stack import Stack
from keyturn.keyset.model import Origin
from keyturn.rotation import (
    create_key,
    keyset_resource,
    publish_apis,
    reconcile,
    record_changes,
    unlawful,
)
from keyturn.rotation.prune_generations import prune_generations
from keyturn.rotation.put_back import restore_generations
from tests.permissions.roles import STATE_MACHINE
from tests.permissions.services import CloudFormation
from tests.simulation import periods
from tests.simulation.play import Play
from tests.simulation.world import World

_ORIGIN = Origin("op-1", "tests", "unpublished")


def play_all() -> None:
    """Every episode, each in a world of its own."""
    _first_jwks_by_reconcile()
    _apis_come_and_go()
    _tampering()
    _birth_and_end()
    _flush_of_an_http_api()
    _invalidation_at_the_edge()


def _first_jwks_by_reconcile() -> None:
    world = Play.founded(periods.USUAL).world
    _in(world, "CreateKey", lambda stack: create_key.ensure_standby(stack, _ORIGIN))
    _in(world, "reconcile", reconcile.run)


def _apis_come_and_go() -> None:
    world = Play.founded(periods.USUAL).world
    name = "/keyturn/sim/apis/a1b2c3d4e5"
    for text in ('{"audience": "https://orders.example"}', '{"audience": "https://new.example"}'):
        world.ssm.declare(name, text)
        _in(world, "PublishApis", publish_apis.publish_apis)
    document = ".well-known/oauth-protected-resource/new.example"
    world.s3.put(document, replace(world.s3.objects[document][-1], body=b"{}"))
    _in(world, "PublishApis", publish_apis.publish_apis)


def _tampering() -> None:
    """A principal writes where the next generation should be and far above it, and deletes the newest."""
    world = Play.booted(periods.USUAL).world
    top = world.truth.landed[-1][1].number
    path = "/keyturn/sim/keyset/"
    for label in ("RecordChanges", "reconcile"):
        for number in (top + 1, top + 50):
            world.ssm.plant(f"{path}{number:012d}", label)
        _in(world, label, _tidy)
        top += 2
        world.ssm.delete([f"{path}{top:012d}"])
        _in(world, label, _tidy)


def _tidy(stack: Stack) -> None:
    restore_generations(stack)
    unlawful.remove_unlawful(stack)
    unlawful.step_over(stack, _ORIGIN)
    record_changes.record_changes(stack)
    prune_generations(stack)


def _birth_and_end() -> None:
    play = Play.founded(periods.USUAL)
    world = play.world
    _in(world, "CreateKey", lambda stack: create_key.ensure_standby(stack, _ORIGIN))
    _custom_resource(world, "Update")
    _forge_a_jwks_from_the_future(world)
    _custom_resource(world, "Update")
    play.at(5, play.rotate)
    _custom_resource(world, "Create", retain=True)
    world.kms.watch = lambda _arn, _state: None  # the keys of a deleted stack go in any state
    _custom_resource(world, "Delete")


def _forge_a_jwks_from_the_future(world: World) -> None:
    version = world.s3.version(JWKS, world.now())
    assert version
    forged = replace(version, since=world.now(), metadata={"keyturn-generation": "99"})
    world.s3.objects[JWKS].append(forged)


def _flush_of_an_http_api() -> None:
    """The simulated APIs are REST APIs."""
    world = Play.founded(periods.USUAL).world
    stage = Stage.parse("http:a1b2c3d4e5/$default")
    _in(world, "FlushAuthorizers", lambda stack: stack.gateway_cache.flush(stage))


def _invalidation_at_the_edge() -> None:
    """No simulated stack has a CDN that forgets."""
    world = Play.founded(periods.USUAL).world

    def invalidate(stack: Stack) -> None:
        EdgeCache(stack.clients, "Distribution").invalidate("/jwks", reference="op-1")

    _in(world, "FlushAuthorizers", invalidate)


def _custom_resource(world: World, request: str, *, retain: bool = False) -> None:
    event: Any = SimpleNamespace(request_type=request, stack_id="stack-1", was_created=True)

    def run(stack: Stack) -> None:
        stack.settings = replace(stack.settings, retain_keyset=retain, state_machine=STATE_MACHINE)
        CloudFormation.status = f"{request.upper()}_IN_PROGRESS"
        keyset_resource.run(stack, event)

    _in(world, "keyset", run)


def _in(world: World, label: str, act: Any) -> None:
    container = world.container(label)
    process = world.scheduler.spawn(lambda: act(container.stack), container)
    world.scheduler.run()
    assert process.error is None, repr(process.error)
