"""RollBackKey: a grace key becomes active again; the key that had superseded it goes into grace."""

from datetime import datetime

from keyturn.aws.stack import Stack
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import roll_back
from keyturn.rotation.activate_key import describe_activation
from keyturn.rotation.task import Kid, Outcome, Step, StepInput, task


class RollbackInput(StepInput):
    """Any step's input, and the key to make active again."""

    kid: Kid


def run(stack: Stack, event: RollbackInput) -> Outcome:
    """Outcome `activated` or `activated_without_grace`, as ActivateKey; `overtaken` if too late."""

    def change(keyset: Keyset, now: datetime) -> Keyset:
        supersede = event.plan.supersede
        return roll_back(keyset, event.kid, now, supersede=supersede, times=stack.times)

    generation = stack.keysets.update(change, event.origin)
    return describe_activation(stack, generation, event.kid, event.plan.supersede)


handler = task(Step.ROLL_BACK_KEY, RollbackInput, run)
