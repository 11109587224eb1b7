"""Everything that status and doctor need, read once. What cannot be read is noted, not raised."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from keyturn.access.api import Api
from keyturn.access.client import Client
from keyturn.aws.executions import RUNNING, SUCCEEDED, Execution, ExecutionRequest
from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.aws.keyset.well_known import Projection
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.gateway_authorizers import Authorizer
from keyturn.aws.operator.schedules import Schedule
from keyturn.aws.registry import StoredDocument
from keyturn.aws.settings import Settings
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.rotation.branches import list_foreign_objects

FAILED_STATUSES = ("FAILED", "TIMED_OUT", "ABORTED")
_REDRIVABLE = timedelta(days=14)  # for as long as a redrive is possible
_SECONDS = re.compile(r"[0-9]{1,10}")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Run:
    """A running execution: its request, and the state that it is in."""

    arn: str
    mode: str
    started_by: str
    started: datetime
    state: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Failure:
    """An execution that failed, and its request."""

    execution: Execution
    request: ExecutionRequest


@dataclass(frozen=True, slots=True)
class PublicJwks:
    """The JWKS as fetched from its URL; `generation` is None if the document has none."""

    status: int
    cache_control: str
    age: int  # seconds in caches on the way
    generation: int | None
    kids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stack at one time. A part that could not be read is None; `unread` says why."""

    at: datetime
    settings: Settings
    generations: tuple[Generation, ...]
    projection: Projection | None
    public: PublicJwks | None
    false_metadata: tuple[str, ...] | None  # names of public documents that are missing or not ours
    kms: Mapping[str, KmsKey] | None
    foreign: frozenset[str] | None  # ARNs of live keys that differ from this stack's own
    running: tuple[Run, ...] | None
    unresolved: tuple[Failure, ...] | None  # failures not resolved since
    schedules: tuple[Schedule, ...] | None
    clock_offset: timedelta | None
    read_errors: Mapping[str, str]
    api_id: str = ""  # the id of this stack's own API
    authorizers: tuple[Authorizer, ...] | None = None  # only read for doctor
    clients: Mapping[str, StoredDocument[Client]] | None = None
    apis: Mapping[str, StoredDocument[Api]] | None = None
    foreign_objects: tuple[str, ...] | None = None  # in the history, that are not of this keyset
    admits_accounts: bool = False  # whose APIs are not among `authorizers`

    @property
    def generation(self) -> Generation:
        """The generation that counts."""
        return self.generations[-1]

    @property
    def keyset(self) -> Keyset:
        """The keyset that counts."""
        return self.generation.keyset

    @property
    def unclaimed(self) -> tuple[KmsKey, ...]:
        """This stack's KMS keys that no stored generation lists and that are not being deleted."""
        keyset_arns, tagged = _list_arns(self.generations), (self.kms or {}).values()
        return tuple(
            key for key in tagged if key.arn not in keyset_arns and not key.pending_deletion
        )


def read_snapshot(deployment: Deployment, *, with_authorizers: bool = False) -> Snapshot:
    """Read the stack; raises only if its settings or its keyset cannot be read.

    Reading the authorizers takes one call per API of the account.
    """
    settings = deployment.settings
    generations = deployment.keysets.read_generations()
    read_errors: dict[str, str] = {}

    def attempt(name: str, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except (AwsFault, KeysetFault) as fault:
            read_errors[name] = str(fault)
            return None

    kms = attempt("kms", lambda: _kms(deployment, generations))
    return Snapshot(
        at=deployment.clock.now(),
        settings=settings,
        generations=generations,
        projection=attempt("jwks", deployment.well_known.read),
        public=attempt("public_jwks", lambda: _public(deployment)),
        false_metadata=attempt("metadata", lambda: _false_metadata(deployment)),
        kms=kms,
        foreign=attempt(
            "key_policies", lambda: _foreign(deployment, generations[-1].keyset, kms or {})
        ),
        running=attempt("executions", lambda: _running(deployment)),
        unresolved=attempt(
            "failed_executions", lambda: _unresolved(deployment, generations[-1].keyset)
        ),
        schedules=attempt("schedules", lambda: _schedules(deployment)),
        clock_offset=attempt("clock", deployment.clock_offset),
        read_errors=read_errors,
        api_id=deployment.outputs["ApiStage"].partition("/")[0],
        authorizers=(
            attempt("authorizers", lambda: _authorizers(deployment)) if with_authorizers else None
        ),
        clients=attempt("clients", deployment.client_documents.read_all),
        apis=attempt("apis", deployment.api_documents.read_all),
        foreign_objects=attempt("history", lambda: tuple(list_foreign_objects(deployment))),
        admits_accounts=deployment.admits_accounts,
    )


def _false_metadata(stack: Stack) -> tuple[str, ...]:
    documents = stack.well_known.metadata
    return tuple(name for name in documents if stack.well_known.differs(name, documents[name]))


def _public(deployment: Deployment) -> PublicJwks:
    answer = deployment.fetch(deployment.outputs["JwksUrl"])
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    age, keys = answer.headers.get("Age", "0"), body.get("keys")
    kids = (
        [key.get("kid") for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    )
    generation = body.get("generation")
    return PublicJwks(
        status=answer.status,
        cache_control=answer.headers.get("Cache-Control", ""),
        age=int(age) if _SECONDS.fullmatch(age) else 0,
        generation=generation if type(generation) is int else None,
        kids=frozenset(kid for kid in kids if isinstance(kid, str)),
    )


def _kms(deployment: Deployment, generations: tuple[Generation, ...]) -> dict[str, KmsKey]:
    """The tagged keys, and the generations' keys, whose tags may become visible minutes late."""
    tagged = {key.arn: key for key in deployment.kms.list_own()}
    untagged = (deployment.kms.find(arn) for arn in sorted(_list_arns(generations) - tagged.keys()))
    return {**tagged, **{key.arn: key for key in untagged if key}}


def _foreign(stack: Stack, keyset: Keyset, kms: Mapping[str, KmsKey]) -> frozenset[str]:
    live = [kms[key.kms_key_arn] for key in keyset.keys if key.kms_key_arn in kms]
    return frozenset(stack.kms.find_foreign(live))


def _list_arns(generations: tuple[Generation, ...]) -> set[str]:
    """The ARNs of all keys that a stored generation lists."""
    return {key.kms_key_arn for generation in generations for key in generation.keyset.all_keys}


def _running(deployment: Deployment) -> tuple[Run, ...]:
    machine = deployment.outputs["StateMachineArn"]
    return tuple(
        _run(deployment, execution) for execution in deployment.executions.latest(machine, RUNNING)
    )


def _run(deployment: Deployment, execution: Execution) -> Run:
    request = deployment.executions.read_request(execution.arn)
    visits = deployment.executions.visits(execution.arn)
    return Run(
        arn=execution.arn,
        mode=request.mode,
        started_by=request.started_by,
        started=execution.started,
        state=visits[-1].state if visits else "starting",
        since=visits[-1].entered if visits else None,
    )


def _unresolved(deployment: Deployment, keyset: Keyset) -> tuple[Failure, ...]:
    machine, executions = deployment.outputs["StateMachineArn"], deployment.executions
    successes = executions.latest(machine, SUCCEEDED)[:1]
    ended = (run for status in FAILED_STATUSES for run in executions.latest(machine, status))
    oldest = deployment.clock.now() - _REDRIVABLE

    def is_resolved(failure: Failure) -> bool:
        """A rotation by any later success; an emergency once all that it names is revoked."""
        repeated = any(success.started > failure.execution.started for success in successes)
        if failure.request.is_emergency:
            live = any(isinstance(keyset.find(kid), Key) for kid in failure.request.kids)
            cutoffs = {(cutoff.claim.value, cutoff.digest) for cutoff in keyset.cutoffs}
            return not live and (repeated or failure.request.cutoffs <= cutoffs)
        return repeated

    failures = (
        Failure(run, executions.read_request(run.arn)) for run in ended if run.started > oldest
    )
    return tuple(failure for failure in failures if not is_resolved(failure))


def _authorizers(deployment: Deployment) -> tuple[Authorizer, ...]:
    return deployment.authorizers.list_for_function(deployment.outputs["AuthorizerArn"])


def _schedules(deployment: Deployment) -> tuple[Schedule, ...]:
    names = deployment.outputs["ScheduleNames"].split(",")
    return tuple(deployment.schedules.read(names))
