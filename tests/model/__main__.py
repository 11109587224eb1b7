"""`python -m tests.model`: explore every scenario to its end, then every mutant to its first violation.

FULL=1 also explores larger scenarios.

The model asks the product for its decisions: keyturn.keyset's transitions, planning, timing, and
Key.verifies. It models what surrounds them, and assumes: SSM creates a generation only if it is absent
(world.py, moves.py); S3 writes only over the ETag that was read (publishing.py); no write of a generation
lands later than ω after its clock was read; clocks differ by at most `skew`, and none stands still; a view
is never used beyond C (or the stale limit); an issuer stops after τ; no verifier keeps a JWKS longer than
P. Time is whole seconds.

Three questions have small models of their own: which stored texts count, and what a principal that creates
parameters can do about it (lineage.py); what one that deletes generations can do (deletion.py); and a
client's cut-offs (cutoffs.py).

Not modelled: KMS and its orphans (S8, S12), signatures (S3), faults of reads, the Wait states and the
wording of outcomes, the rounding of instants (all are whole), the ten minutes that reconcile leaves to
others (it may act at once, which is more), more than three runs at a time.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from tests.model import cutoff_tasks, deletion_tasks, lineage_tasks, report, tasks

if TYPE_CHECKING:
    from tests.model.outcome import Outcome

PROCESSES = 2
MODELS = (tasks, lineage_tasks, cutoff_tasks, deletion_tasks)


def main() -> int:
    """Explore, print, write build/model.json; returns the exit status."""
    began = time.monotonic()
    outcomes: list[Outcome] = []
    print(report.HEAD)
    # One process per scenario: its memory is returned at its end.
    with ProcessPoolExecutor(PROCESSES, max_tasks_per_child=1) as pool:
        explorations = [
            pool.submit(model.of_scenario, name) for model in MODELS for name in model.SCENARIOS
        ]
        for exploration in as_completed(explorations):
            outcome = exploration.result()
            outcomes.append(outcome)
            print(report.scenario_line(outcome), *outcome.trace, sep="\n    ", flush=True)
    with ProcessPoolExecutor(PROCESSES) as pool:
        for model in MODELS:
            for outcome in pool.map(model.of_mutant, model.MUTANTS):
                outcomes.append(outcome)
                print(*report.mutant_lines(outcome), sep="\n", flush=True)
    scenarios = [outcome for outcome in outcomes if not outcome.scenario]
    to_kill = [outcome for outcome in outcomes if outcome.scenario and not outcome.equivalent]
    failed = [outcome.name for outcome in outcomes if not outcome.good]
    summary = (
        f"model: {len(outcomes) - len(failed)} passed, {len(failed)} failed; "
        f"{sum(outcome.exhausted for outcome in scenarios)} scenarios exhausted, "
        f"{sum(outcome.states for outcome in scenarios):,} states, "
        f"{sum(outcome.good for outcome in to_kill)} of {len(to_kill)} mutants killed, "
        f"{time.monotonic() - began:.0f} s"
    )
    report.write(Path("build/model.json"), outcomes, summary)
    if failed:
        print("\nfailed:", *failed, sep="\n  ")
    print(
        f"\n{len(outcomes) - len(scenarios) - len(to_kill)} mutants are equivalent, as said above"
    )
    print(summary)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
