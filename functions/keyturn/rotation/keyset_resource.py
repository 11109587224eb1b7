"""Keyset: the custom resource that is created last and deleted first.

A new stack's first keys are created by its own workflow, in a rotation that finds no active key.
Deleting the stack leaves nothing behind that costs money, unless the keyset is retained; another
stack of the same name can then adopt it. When a creation is rolled back, a keyset that it created
is deleted, and one that already existed is not (docs/decisions/0012).
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
_ROLE_PATIENCE = 120  # seconds of these, for IAM to propagate the policies of the stack's new roles
_LONGEST_RECONCILE = 120  # seconds; the timeout of its function in template.yaml
_LONGEST_WAIT = 600  # seconds of the 840; the calls need the rest


class NotBooted(KeysetFault):
    """The first rotation did not produce an active and a standby key."""


class KeysetExists(KeysetFault):
    """The keyset existed before this stack, and a rollback of this stack would delete it."""

    def __init__(self) -> None:
        super().__init__(
            "an earlier stack of this name left its keyset. Deploy with RetainKeyset=true to "
            "continue with it; after that, an update may set it to false"
        )


def run(stack: Stack, event: CustomResource) -> Mapping[str, str]:
    """Create, update or delete the keyset; returns the attributes `Issuer` and `JwksUrl`.

    Settings decide what to retain and which executions to stop. The event does not, because it can
    be forged: see ForeignRequest. Raises ForeignRequest, KeysetExists, NotBooted, AwsFault.
    """
    _retry(stack, lambda: check_operation(event, stack.clients, stack.settings.stack))
    retain, machine = stack.settings.retain_keyset, stack.settings.state_machine
    origin = Origin(stack.clock.new_id(), _STARTED_BY, event.request_type.lower())
    match event.request_type:
        case "Create":
            deadline = stack.clock.monotonic() + _PATIENCE
            generation = _retry(stack, lambda: ensure_keyset(stack, event.stack_id, retain=retain))
            if generation.keyset.keys:
                project(stack, origin)  # retained by an earlier stack of this name
            boot(stack, machine, deadline)
        case "Update":
            project(stack, origin)
        case "Delete":
            stack.executions.stop_all(machine)
            if not retain:
                _remove(stack, event)
    return {"Issuer": stack.settings.issuer, "JwksUrl": stack.well_known.jwks_url}


def ensure_keyset(stack: Stack, stack_id: str, *, retain: bool) -> Generation:
    """Create the keyset unless it exists. Raises KeysetExists if an existing one is not retained.

    The first generation has the stack's own id as `started_by`, and no other generation has.
    """
    newest = max(newest_number(stack), _published_generation(stack))
    origin = Origin(stack.clock.new_id(), stack_id, "create")
    latest = stack.keysets.create(newest + 1, origin)
    if retain or _was_created_by(stack_id, [latest, *stack.keysets.read_generations()]):
        return latest
    raise KeysetExists


def boot(stack: Stack, state_machine_arn: str, deadline: float) -> None:
    """Run the workflow until the keyset is complete, by the `deadline` on the monotonic clock.

    The schedule may have started a rotation as well. It does not matter which of the two does the
    work: the keyset is checked, not the execution. Raises NotBooted, AwsFault.
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
    """Call `work`, and repeat it while AWS refuses: IAM is eventually consistent about new roles.

    Raises whatever `work` raises, but an AwsFault only after `_ROLE_PATIENCE`.
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
        stack.well_known.empty_bucket()  # first, or the history would restore generations
        stack.keysets.remove(parameter.name for parameter in stack.keysets.list_parameters())
    stack.well_known.empty_bucket()


def _destroy_keys(stack: Stack, generations: Iterable[Generation]) -> None:
    """Destroy every key of the stack, waiting until KMS knows each. Raises AwsFault."""
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
    """How long functions that were already running may still write, in seconds.

    A step times out after ω, and reconcile may have started just before its schedule was stopped.
    A step that writes after `_LONGEST_WAIT` finds no keyset, so its write does not count.
    """
    return min(max(stack.times.write_delay, _LONGEST_RECONCILE), _LONGEST_WAIT)


def _was_created_by(stack_id: str, generations: Iterable[Generation]) -> bool:
    return any(generation.started_by == stack_id for generation in generations)


def _lineage(stack: Stack) -> tuple[Generation, ...]:
    """The generations that count; none if they cannot be read, so that the stack can be deleted."""
    try:
        return stack.keysets.read_generations()
    except KeysetFault:
        return ()


def handler(event: Mapping[str, Any], _context: object) -> None:
    """The entry point for CloudFormation."""
    answer(event, lambda request: run(Stack.from_environment(), request))
