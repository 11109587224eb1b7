"""People with one AWS permission each, who use it whenever they like.

They act in every script, seed and worst case; when and how is drawn from a random sequence of their own, so
that the rest of the run stays the same.
"""

from collections.abc import Callable
from functools import partial
from random import Random

from tests.simulation.adversaries import history, invocations, kms, s3, ssm, states
from tests.simulation.play import Play

Adversary = Callable[[Play, Random], None]

ADVERSARIES: tuple[Adversary, ...] = (
    kms.who_may_sign_with_any_key,
    kms.who_may_lend_any_key,
    kms.the_issuer_of_another_stack,
    kms.who_may_create_and_tag_keys,
    kms.who_may_tag_any_key,
    s3.who_may_write_the_jwks,
    history.who_may_write_history,
    history.who_may_invoke_record_changes,
    ssm.who_may_create_parameters,
    ssm.who_may_delete_parameters,
    states.who_may_start_executions,
    invocations.who_may_invoke_the_steps,
    invocations.who_may_invoke_what_runs_beside,
)
# With both permissions, one hides what to restore (docs/decisions/0021).
_NOT_TOGETHER = (history.who_may_write_history, ssm.who_may_delete_parameters)
_MOST = 3  # acts of each in a run


def unleash(play: Play, seed: str, horizon: float, *, deletes: bool = True) -> None:
    """Let each act up to three times within so many seconds from the beginning.

    Where AWS fails at random, nobody `deletes` generations: what is promised then is open
    (docs/proof.md, "What is not proved").
    """
    choose = Random(f"adversaries {seed}")
    absent = choose.choice(_NOT_TOGETHER)
    for adversary in ADVERSARIES:
        if adversary is absent or (adversary is ssm.who_may_delete_parameters and not deletes):
            continue
        for _ in range(choose.randint(1, _MOST)):
            play.at(choose.uniform(0, horizon), partial(adversary, play, choose))
