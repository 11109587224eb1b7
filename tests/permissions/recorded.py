"""Every AWS call that every handler makes in simulated runs, by the function that made it."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

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
from tests.definition import STATES, step_of
from tests.permissions.calls import EXECUTION, Need, needs
from tests.permissions.roles import STATE_MACHINE
from tests.simulation import periods, scenarios, seeds
from tests.simulation.patches import simulated
from tests.simulation.play import Play
from tests.simulation.world import World
from tests.simulation.worst_cases import WORST_CASES

Asked = dict[str, set[Need]]
_SERVICES = {"ssm_timed": "ssm", "kms_once": "kms"}
_BESIDE = {
    "issuer": "IssueTokenFunction",
    "authorizer": "AuthorizeFunction",
    "reconcile": "ReconcileFunction",
    "RecordChanges": "RecordChangesFunction",
    "PublishApis": "PublishApisFunction",
    "keyset": "KeysetFunction",
}
_SEEDS = 12


def asked() -> Asked:
    """Scripts, worst cases and some seeds; the birth and the end of a stack."""
    found: Asked = defaultdict(set)
    with simulated(), _recording(found):
        for name in scenarios.SCRIPTS:
            scenarios.play(name, (), periods.CACHED)
        for case in WORST_CASES.values():
            case.play()
        for seed in range(_SEEDS):
            seeds.play(seed)
        _first_jwks_by_reconcile()
        _apis_come_and_go()
        _tampering()
        _birth_and_end()
        _flush_of_an_http_api()
        _invalidation_at_the_edge()
    return found


_ORIGIN = Origin("op-1", "tests", "unpublished")


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
    world.kms.watch = lambda _arn, _state: (
        None
    )  # at its end the keys of a stack go, whatever they are
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
        _CloudFormation.status = f"{request.upper()}_IN_PROGRESS"
        keyset_resource.run(stack, event)

    _in(world, "keyset", run)


def _in(world: World, label: str, act: Any) -> None:
    container = world.container(label)
    process = world.scheduler.spawn(lambda: act(container.stack), container)
    world.scheduler.run()
    assert process.error is None, repr(process.error)


class _States:
    """One execution, which is at work when it is looked at."""

    def start_execution(self, **_: Any) -> Any:
        return {"executionArn": EXECUTION}

    def describe_execution(self, **_: Any) -> Any:
        return {"status": "RUNNING"}

    def stop_execution(self, **_: Any) -> None:
        pass

    def get_paginator(self, _name: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [{"executions": [{"executionArn": EXECUTION}]}])


class _CloudFormation:
    """At work on the stack."""

    status = ""

    def describe_stacks(self, **_: Any) -> Any:
        return {"Stacks": [{"StackId": "stack-1", "StackStatus": self.status}]}


class _HttpApis:
    """Their caches."""

    def reset_authorizers_cache(self, **_: Any) -> None:
        pass


class _Edge:
    """Its copies."""

    def create_invalidation(self, **_: Any) -> Any:
        return {"Invalidation": {"Id": "I1"}}


class _Recorded:
    """A client; what is called is noted first."""

    def __init__(self, service: str, client: Any, world: World, found: Asked) -> None:
        self._service, self._client = service, client
        self._world, self._found = world, found

    def __getattr__(self, method: str) -> Any:
        if method == "get_paginator":
            return self._paginator
        return self._noting(_camel(method), getattr(self._client, method))

    def _paginator(self, name: str) -> Any:
        pages = self._client.get_paginator(name).paginate
        return SimpleNamespace(paginate=self._noting(_camel(name), pages))

    def _noting(self, operation: str, real: Any) -> Any:
        def call(**given: Any) -> Any:
            process = self._world.scheduler.current
            if process and (function := _function(process.owner.label)):
                self._found[function] |= set(needs(f"{self._service}:{operation}", given))
            return real(**given)

        return call


def _function(label: str) -> str | None:
    """Break-glass and callers are no functions."""
    if label in STATES:
        return f"{step_of(STATES[label])}Function"
    return _BESIDE.get(label)


def _camel(method: str) -> str:
    words = "".join(word.title() for word in method.split("_"))
    return {"ListObjectsV2": "ListObjectsV2"}.get(words, words)


@contextmanager
def _recording(found: Asked) -> Iterator[None]:
    real = World._clients

    def clients(world: World) -> Any:
        made = {**vars(real(world)), "states": _States(), "apigatewayv2": _HttpApis()}
        made["cloudformation"] = _CloudFormation()
        made["cloudfront"] = _Edge()
        return SimpleNamespace(
            **{n: _Recorded(_SERVICES.get(n, n), c, world, found) for n, c in made.items()}
        )

    with patch.object(World, "_clients", clients):
        yield
