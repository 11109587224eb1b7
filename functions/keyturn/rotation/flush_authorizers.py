"""FlushAuthorizers: API Gateway forgets what the authorizer answered, and CloudFront the JWKS from before."""

from keyturn.aws.faults import AwsFault
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.well_known import JWKS
from keyturn.rotation.task import EmergencyInput, Outcome, Step, task


class FlushFailed(Exception):
    """Some stages may answer from their cache until it expires; the message names them."""


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `flushed`, of our own stage if it caches answers and of those in FlushTargets.

    With the `invalidation` of the JWKS at CloudFront, or why there is none: that fails nothing, for
    CloudFront's copies live for CdnTtl at most.
    """
    flushed_stages, failures = [], []
    for stage in stack.settings.flush_targets:
        try:
            stack.gateway_cache.flush(stage)
            flushed_stages.append(str(stage))
        except AwsFault as fault:
            failures.append(f"{stage}: {fault}")
    outcome = {
        "outcome": "flushed",
        "stages": flushed_stages,
        **_invalidate(stack, event.plan.op_id),
    }
    if failures:
        raise FlushFailed("; ".join(failures))
    return outcome


def _invalidate(stack: Stack, reference: str) -> Outcome:
    if not stack.settings.distribution:
        return {}
    try:
        return {"invalidation": stack.edge_cache.invalidate(f"/{JWKS}", reference=reference)}
    except Exception as error:  # noqa: BLE001 - optional, and the revocation is not
        reason = str(error) if isinstance(error, AwsFault) else type(error).__name__
        logger.warning("jwks_not_invalidated", reason=reason)
        return {"invalidation": f"failed: {reason}"}


handler = task(Step.FLUSH_AUTHORIZERS, EmergencyInput, run)
