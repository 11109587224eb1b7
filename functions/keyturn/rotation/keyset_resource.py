"""Keyset: the custom resource that boots last and is deleted first.

A new stack's first keys are made by its own workflow: a rotation that finds nobody signing. Deleting
the stack leaves nothing behind that costs money, unless the keyset is to be retained; a stack of the
same name then goes on with it. A creation that is rolled back deletes what it founded and never what
it found (docs/decisions/0012).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from keyturn.aws.custom_resource import CustomResource, answer, check_operation
from keyturn.aws.executions import RUNNING, SUCCEEDED
from keyturn.aws.faults import AwsFault
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Origin
from keyturn.rotation import births
from keyturn.rotation.branches import newest_number
from keyturn.rotation.publish_jwks import project

_STARTED_BY = "cloudformation"
_T = TypeVar("_T")
_PATIENCE = 780  # seconds; the function's timeout is 840
_ROLE_PATIENCE = 120  # seconds of it, for IAM to let a role act that is as new as the stack
_LONGEST_RECONCILE = 120  # seconds: its timeout in template.yaml
_LONGEST_WAIT = 600  # seconds of those 840; the rest is for the calls


class NotBooted(KeysetFault):
    """The first rotation did not leave an active and a standby key behind."""


class KeysetExists(KeysetFault):
    """The keyset was there before this stack, whose rollback would delete it."""

    def __init__(self) -> None:
        super().__init__(
            "an earlier stack of this name left its keyset. Deploy with RetainKeyset=true to "
            "continue with it; after that, an update may set it to false"
        )


def run(stack: Stack, event: CustomResource) -> Mapping[str, str]:
    """Create, update or delete the keyset; its attributes say where verifiers find it.

    What to retain and what to stop is a setting, and nothing that the event says: see ForeignRequest.
    Raises ForeignRequest, KeysetExists, NotBooted, AwsFault.
    """
    _retry(stack, lambda: check_operation(event, stack.clients, stack.settings.stack))
    retain, machine = stack.settings.retain_keyset, stack.settings.state_machine
    origin = Origin(stack.clock.new_id(), _STARTED_BY, event.request_type.lower())
    match event.request_type:
        case "Create":
            deadline = stack.clock.monotonic() + _PATIENCE
            generation = _retry(stack, lambda: ensure_keyset(stack, event.stack_id, retain=retain))
            if generation.keyset.keys:
                project(stack, origin)  # retained by the stack before this one
            boot(stack, machine, deadline)
        case "Update":
            project(stack, origin)
        case "Delete":
            stack.executions.stop_all(machine)
            if not retain:
                _remove(stack, event)
    return {"Issuer": stack.settings.issuer, "JwksUrl": stack.well_known.jwks_url}


def ensure_keyset(stack: Stack, stack_id: str, *, retain: bool) -> Generation:
    """Found the keyset unless there is one; raises KeysetExists if that one is not to be retained.

    The founding generation is started by the stack itself, and no other generation is.
    """
    newest = max(newest_number(stack), _published_generation(stack))
    origin = Origin(stack.clock.new_id(), stack_id, "create")
    latest = stack.keysets.create(newest + 1, origin)
    if retain or _was_created_by(stack_id, [latest, *stack.keysets.read_generations()]):
        return latest
    raise KeysetExists


def boot(stack: Stack, state_machine_arn: str, deadline: float) -> None:
    """Have the workflow fill the keyset, by the `deadline` of the monotonic clock.

    The schedule may have started a rotation as well: whichever of the two does the work, the keyset
    is what counts.
    """
    first = {"mode": "scheduled", "started_by": _STARTED_BY}
    execution = _retry(stack, lambda: stack.executions.start(state_machine_arn, first))
    while not _retry(stack, lambda: _is_complete(stack)):
        status = _retry(stack, lambda: stack.executions.status(execution))
        if status not in (RUNNING, SUCCEEDED):
            raise NotBooted(
                f"the first rotation ended {status}: {stack.executions.cause(execution)}"
            )
        if stack.clock.monotonic() > deadline:
            raise NotBooted(f"no published active key and standby after {_PATIENCE} s")
        stack.clock.sleep(1)


def _retry(stack: Stack, work: Callable[[], _T]) -> _T:
    """Do this, again if AWS refuses it: a new role is refused for seconds (IAM, "eventual consistency").

    Raises what `work` raises, an AwsFault only after `_ROLE_PATIENCE`.
    """
    deadline = stack.clock.monotonic() + _ROLE_PATIENCE
    while True:
        try:
            return work()
        except AwsFault:
            if stack.clock.monotonic() > deadline:
                raise
        stack.clock.sleep(1)


def _is_complete(stack: Stack) -> bool:
    keyset = stack.keysets.read().keyset
    return all(key and key.published for key in (keyset.active, keyset.standby))


def _published_generation(stack: Stack) -> int:
    projection = stack.well_known.read()
    return projection.generation if projection else 0


def _remove(stack: Stack, event: CustomResource) -> None:
    stack.clock.sleep(_landing_time(stack))
    generations = _lineage(stack)
    if event.was_created or _was_created_by(event.stack_id, generations):
        _destroy_keys(stack, generations)
        stack.well_known.empty_bucket()  # first: what is deleted comes back from the history
        stack.keysets.remove(one.name for one in stack.keysets.list_parameters())
    stack.well_known.empty_bucket()


def _destroy_keys(stack: Stack, generations: Iterable[Generation]) -> None:
    """Destroy every key of the stack; one that KMS does not know yet is waited for. Raises AwsFault."""
    tagged_keys = {key.arn: key.created for key in stack.kms.list_own()}
    listed_keys = {
        key.kms_key_arn: key.created
        for generation in generations
        for key in generation.keyset.all_keys
    }
    for arn, created in {**listed_keys, **tagged_keys}.items():
        while not stack.kms.destroy(arn, window=stack.settings.deletion_window):
            key = stack.kms.find(arn)
            if (key and key.pending_deletion) or not births.is_newborn(stack, created):
                break
            stack.clock.sleep(1)


def _landing_time(stack: Stack) -> float:
    """How long what was running may still write, in seconds.

    A step has the timeout ω, and reconcile may have started just before its schedule was stopped.
    A step that lands after `_LONGEST_WAIT` finds no keyset: its write does not count.
    """
    return min(max(stack.times.write_delay, _LONGEST_RECONCILE), _LONGEST_WAIT)


def _was_created_by(stack_id: str, generations: Iterable[Generation]) -> bool:
    return any(generation.started_by == stack_id for generation in generations)


def _lineage(stack: Stack) -> tuple[Generation, ...]:
    """What counts; a keyset that is missing or cannot be read must not keep the stack alive."""
    try:
        return stack.keysets.read_generations()
    except KeysetFault:
        return ()


def handler(event: Mapping[str, Any], _context: object) -> None:
    """CloudFormation's call."""
    answer(event, lambda request: run(Stack.from_environment(), request))
