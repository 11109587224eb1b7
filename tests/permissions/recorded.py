"""Every AWS call that every handler makes in simulated runs, by the function that made it."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from tests.definition import STATES, step_of
from tests.permissions import episodes
from tests.permissions.calls import Need, needs
from tests.permissions.services import CloudFormation, Edge, HttpApis, States
from tests.simulation import periods, scenarios, seeds
from tests.simulation.patches import simulated
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
    """The calls in scripts, worst cases, some seeds, and the episodes."""
    needs_of: Asked = defaultdict(set)
    with simulated(), _recording(needs_of):
        for name in scenarios.SCRIPTS:
            scenarios.play(name, (), periods.CACHED)
        for case in WORST_CASES.values():
            case.play()
        for seed in range(_SEEDS):
            seeds.play(seed)
        episodes.play_all()
    return needs_of


class _Recorded:
    """A client whose calls are recorded."""

    def __init__(self, service: str, client: Any, world: World, log: Asked) -> None:
        self._service, self._client = service, client
        self._world, self._found = world, log

    def __getattr__(self, method: str) -> Any:
        if method == "get_paginator":
            return self._paginator
        return self._record(_camel(method), getattr(self._client, method))

    def _paginator(self, name: str) -> Any:
        pages = self._client.get_paginator(name).paginate
        return SimpleNamespace(paginate=self._record(_camel(name), pages))

    def _record(self, operation: str, real: Any) -> Any:
        def call(**arguments: Any) -> Any:
            process = self._world.scheduler.current
            if process and (function := _function(process.owner.label)):
                self._found[function] |= set(needs(f"{self._service}:{operation}", arguments))
            return real(**arguments)

        return call


def _function(label: str) -> str | None:
    """None for the operator and for callers."""
    if label in STATES:
        return f"{step_of(STATES[label])}Function"
    return _BESIDE.get(label)


def _camel(method: str) -> str:
    words = "".join(word.title() for word in method.split("_"))
    return {"ListObjectsV2": "ListObjectsV2"}.get(words, words)


@contextmanager
def _recording(log: Asked) -> Iterator[None]:
    real = World._clients

    def clients(world: World) -> Any:
        services = {
            **vars(real(world)),
            "states": States(),
            "apigatewayv2": HttpApis(),
            "cloudformation": CloudFormation(),
            "cloudfront": Edge(),
        }
        return SimpleNamespace(
            **{n: _Recorded(_SERVICES.get(n, n), c, world, log) for n, c in services.items()}
        )

    with patch.object(World, "_clients", clients):
        yield
