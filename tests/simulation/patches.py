"""The few places where the product reaches the outside world by itself, redirected into the simulated one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import urllib3
from botocore.exceptions import ClientError

from keyturn.api import authorize
from keyturn.aws import custom_resource, telemetry
from keyturn.aws.keyset import kms_keys
from keyturn.aws.keyset.key_policy import is_same_policy
from keyturn.aws.keyset.well_known import JWKS
from keyturn.aws.powertools import logger, metrics
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Decision
from keyturn.keyset import document, lineage
from keyturn.keyset.lineage import StoredParameter
from keyturn.keyset.model import Generation
from keyturn.rotation import probe_key
from tests.cloud.wire import Call
from tests.simulation.watch.broken import insist
from tests.simulation.world import World

_REMEMBERED = 4096  # texts, of each function


def _fetch(_method: str, _url: str) -> Any:
    """The public JWKS by CDN: up to its TTL old."""
    world = World.running

    def effect(at: float) -> Any:
        age = world.times.cdn_ttl if at < world.now() else 0
        version = world.s3.version(JWKS, world.now() - age)
        return SimpleNamespace(
            status=200 if version else 404, data=version.body if version else b""
        )

    try:
        return world.carry(Call("https:GET", effect, retries=False))
    except (ClientError, OSError) as error:
        raise urllib3.exceptions.HTTPError(str(error)) from None


def _answer(_method: str, url: str, **_answer: Any) -> None:
    """An answer of a custom resource, which may go to CloudFormation only."""
    insist("cloudformation-custom-resource-response" in url, "S13", f"an answer goes to {url}")


def _log_decision(decision: Decision, **fields: Any) -> None:
    """Keep the authorizer's reason for a refusal, which is in its log only."""
    process = World.running.scheduler.current
    if process and decision is Decision.REFUSED:
        process.owner.refusal = str(fields["code"])


@contextmanager
def simulated() -> Iterator[None]:
    """Handlers find their Stack in the world that runs, and the probe its public URL."""
    with ExitStack() as stack:
        stack.callback(logger.setLevel, logger.log_level)
        logger.setLevel("CRITICAL")
        stack.enter_context(
            patch.object(Stack, "from_environment", lambda: World.running.in_container())
        )
        for name in ("add_metric", "flush_metrics"):
            stack.enter_context(patch.object(metrics.provider, name, lambda *_, **__: None))
        stack.enter_context(patch.object(telemetry, "write_line", lambda _: None))
        stack.enter_context(patch.object(authorize, "log_decision", _log_decision))
        stack.enter_context(patch.object(probe_key, "_HTTP", SimpleNamespace(request=_fetch)))
        stack.enter_context(
            patch.object(custom_resource, "_HTTP", SimpleNamespace(request=_answer))
        )
        for module, name, function in _remembered():
            stack.enter_context(patch.object(module, name, function))
        yield


def _remembered() -> Iterator[tuple[ModuleType, str, Callable[..., Any]]]:
    """Pure functions that every container calls with the same texts: each text is read once."""
    yield document, "loads", lru_cache(_REMEMBERED)(document.loads)
    yield kms_keys, "is_same_policy", lru_cache(_REMEMBERED)(is_same_policy)
    successor, successors = lineage._successor, dict[tuple[str, StoredParameter], Any]()

    def remembered(parent: Generation, stored: StoredParameter) -> Any:
        pair = parent.text, stored
        if pair not in successors:
            if len(successors) == _REMEMBERED:
                successors.clear()
            successors[pair] = successor(parent, stored)
        return successors[pair]

    yield lineage, "_successor", remembered
