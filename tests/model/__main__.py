"""`python -m tests.model`: every scenario to its end, then every mutant to its first violation.

FULL=1 explores larger scenarios, too.

What the product decides is asked of the product: keyturn.keyset's transitions, planning, timing, and
Key.verifies. What surrounds it is modelled, and this is taken for granted: SSM creates a generation only
if it is absent (world.py, moves.py); S3 writes only over the ETag that was read (publishing.py); no write
of a generation lands later than ω after its clock was read; clocks differ by at most `skew` and stand
still in no machine; a view is never used beyond C (or the stale limit), an issuer stops after τ, nobody
keeps a JWKS longer than P. Time is whole seconds.

Which stored texts count, for whom, and what somebody who creates parameters can do about it is explored by
itself (lineage.py), and so are somebody who deletes generations (deletion.py), and a client's cut-offs
(cutoffs.py).

Not modelled: KMS and its orphans (S8, S12), signatures (S3), faults of the reading itself, the
Wait states and the wording of outcomes, the rounding of instants (all are whole), the ten minutes that
reconcile leaves to others (it may act at once, which is more), more than three runs at a time.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from tests.model import cutoff_tasks, deletion_tasks, lineage_tasks, report
from tests.model.tasks import MUTANTS, SCENARIOS, of_mutant, of_scenario

if TYPE_CHECKING:
    from tests.model.outcome import Outcome

PROCESSES = 2


def main() -> int:
    """Explores, prints, writes build/model.json; returns the exit status."""
    began = time.monotonic()
    outcomes: list[Outcome] = []
    print(report.HEAD)
    # A process a task: what an exploration has remembered is given back at its end.
    with ProcessPoolExecutor(PROCESSES, max_tasks_per_child=1) as pool:
        for done in as_completed(
            [
                *(
                    pool.submit(of_scenario, name)
                    for name in (*SCENARIOS, *lineage_tasks.SCENARIOS)
                ),
                *(pool.submit(cutoff_tasks.of_scenario, name) for name in cutoff_tasks.SCENARIOS),
                *(
                    pool.submit(deletion_tasks.of_scenario, name)
                    for name in deletion_tasks.SCENARIOS
                ),
            ]
        ):
            outcome = done.result()
            outcomes.append(outcome)
            print(report.scenario_line(outcome), *outcome.trace, sep="\n    ", flush=True)
    with ProcessPoolExecutor(PROCESSES) as pool:
        for outcome in pool.map(of_mutant, (*MUTANTS, *lineage_tasks.MUTANTS)):
            outcomes.append(outcome)
            print(*report.mutant_lines(outcome), sep="\n", flush=True)
        for tasks in (cutoff_tasks, deletion_tasks):
            for outcome in pool.map(tasks.of_mutant, tasks.MUTANTS):
                outcomes.append(outcome)
                print(*report.mutant_lines(outcome), sep="\n", flush=True)
    explorations = [outcome for outcome in outcomes if not outcome.scenario]
    to_kill = [outcome for outcome in outcomes if outcome.scenario and not outcome.equivalent]
    failed = [outcome.name for outcome in outcomes if not outcome.good]
    summary = (
        f"model: {len(outcomes) - len(failed)} passed, {len(failed)} failed; "
        f"{sum(outcome.exhausted for outcome in explorations)} scenarios exhausted, "
        f"{sum(outcome.states for outcome in explorations):,} states, "
        f"{sum(outcome.good for outcome in to_kill)} of {len(to_kill)} mutants killed, "
        f"{time.monotonic() - began:.0f} s"
    )
    report.write(Path("build/model.json"), outcomes, summary)
    if failed:
        print("\nfailed:", *failed, sep="\n  ")
    print(
        f"\n{len(outcomes) - len(explorations) - len(to_kill)} mutants are equivalent, as said above"
    )
    print(summary)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
