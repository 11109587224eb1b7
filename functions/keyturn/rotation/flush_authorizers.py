"""FlushAuthorizers: flush API Gateway's cached authorizer answers and CloudFront's cached JWKS."""

from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.well_known import JWKS
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.rotation.task import EmergencyInput, Outcome, Step, task


class FlushFailed(Exception):
    """Some stages may serve cached answers until these expire; the message names the stages."""


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `flushed`, for this stack's stage (if it caches answers) and those in FlushTargets.

    `invalidation` is the id of the JWKS's invalidation at CloudFront, or why there is none. A
    failed invalidation is not a failed step: CloudFront's copies live for CdnTtl at most. Raises
    FlushFailed.
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
    except Exception as error:  # noqa: BLE001 - optional: must not fail the revocation
        reason = str(error) if isinstance(error, AwsFault) else type(error).__name__
        logger.warning("jwks_not_invalidated", reason=reason)
        return {"invalidation": f"failed: {reason}"}


handler = task(Step.FLUSH_AUTHORIZERS, EmergencyInput, run)
