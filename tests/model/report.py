"""The report: one line per scenario, a readable trace per counterexample, and build/model.json."""

import json
from pathlib import Path

from tests.model.atlas import Atlas
from tests.model.constants import seconds
from tests.model.explore import Exploration, Explorer
from tests.model.outcome import Outcome

HEAD = f"{'scenario':34}{'constants':44}{'states':>10}{'transitions':>13}{'keysets':>9}  exhausted      s"


def trace(explorer: Explorer, exploration: Exploration) -> list[str]:
    """The path to a violation, one numbered line per step; passing seconds show in the next line."""
    lines: list[str] = []
    now, generation, truth = 0, 0, None
    for label, state in exploration.path:
        if label == ("tick",):
            now, truth = now + 1, None
            continue
        actor, *words = label
        line = f"{len(lines) + 1:>3}. {now:>2} s  {actor}: {' '.join(words)}"
        if state.age == 0 and state.truth != truth and _writes(words):
            generation += 1
            line += f" → generation +{generation}: {described(explorer.atlas, state.truth)}"
        truth = state.truth
        lines.append(line)
    return [*lines, f"{len(lines) + 1:>3}. {now:>2} s  {exploration.wrong}"]


def described(atlas: Atlas, number: int) -> str:
    """A keyset in a few words."""
    keyset = atlas.keysets[number]
    words = []
    for key in keyset.keys:
        more = "" if key.published else ", unpublished"
        if key.verify_until:
            more += f" until {seconds(key.verify_until):+d} s"
        words.append(f"{key.kid} {key.state}{more}")
    return "; ".join([*words, *(f"{key.kid} {key.state}" for key in keyset.ended)])


def _writes(words: list[str]) -> bool:
    changes = {"register", "publish", "activate", "activate_alone", "roll_back", "retire", "revoke"}
    return (
        words[0] in changes
        and any(word.startswith("clock") for word in words[1:3])
        and ("refused" not in words)
    )


def scenario_line(outcome: Outcome) -> str:
    """A row of the table."""
    return (
        f"{outcome.name:34}{outcome.constants:44}{outcome.states:>10,}{outcome.transitions:>13,}"
        f"{outcome.keysets:>9,}  {'yes' if outcome.exhausted else 'NO':9}{outcome.seconds:>7.1f}"
    )


def mutant_lines(outcome: Outcome) -> list[str]:
    """A mutant, with the shortest counterexample or with why there is none."""
    head = f"\n{outcome.name}   [{outcome.scenario}]"
    if outcome.equivalent:
        how = "equivalent" if outcome.good else "NOT equivalent"
        return [head, f"  {how}: {outcome.equivalent}", *outcome.trace]
    if not outcome.good:
        return [f"{head}   SURVIVES"]
    return [head, *outcome.trace]


def write(path: Path, outcomes: list[Outcome], summary: str) -> None:
    """Everything, for docs and for comparing runs."""
    path.parent.mkdir(exist_ok=True)
    document = {
        "summary": summary,
        "scenarios": [outcome.fields() for outcome in outcomes if not outcome.scenario],
        "mutants": [outcome.fields() for outcome in outcomes if outcome.scenario],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
