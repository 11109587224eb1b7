"""FlushAuthorizers: API Gateway forgets what the authorizer answered before the revocation."""

from keyturn.aws.faults import AwsFault
from keyturn.aws.stack import Stack
from keyturn.rotation.task import EmergencyInput, Outcome, task


class FlushFailed(Exception):
    """Some stages may answer from their cache until it expires; the message names them."""


def run(stack: Stack, _event: EmergencyInput) -> Outcome:
    """Outcome `flushed`, of our own stage if it caches answers and of those in FlushTargets."""
    flushed, failed = [], []
    for stage in stack.settings.flush_targets:
        try:
            stack.gateway_cache.flush(stage)
            flushed.append(str(stage))
        except AwsFault as fault:
            failed.append(f"{stage}: {fault}")
    if failed:
        raise FlushFailed("; ".join(failed))
    return {"outcome": "flushed", "stages": flushed}


handler = task(EmergencyInput, run)
