"""The exploration of tests/model/cutoffs.py, and its mutants."""

from collections.abc import Mapping

from tests.model import cutoffs
from tests.model.mutants import Edit, Mutant
from tests.model.outcome import Outcome
from tests.model.search import explore

SCENARIOS: Mapping[str, tuple[str, ...]] = {
    "cut-offs, two of a client": ("cut", "cut"),
    "cut-offs, a block and a cut-off": ("block", "cut"),
    "cut-offs, a block and its release": ("block", "release"),
}
_TWO, _BLOCK, _RELEASE = SCENARIOS


def _mutant(name: str, scenario: str, where: str, old: str, new: str) -> Mutant:
    return Mutant(f"cut-offs: {name}", scenario, (Edit(where, old, new),))


_CUT, _FREED = "token_revocation.cut_off", "token_revocation.release"
_CHECK = "token_revocation._check_blocks"
_LIST = (
    _mutant("no ε", _TWO, "timing.cutoff_before", "times.clock_skew + 1", "1"),
    _mutant("no second for the rounding", _TWO, "timing.cutoff_before", " + 1", ""),
    _mutant(
        "dead at its instant",
        _TWO,
        "timing.cutoff_until",
        "timedelta(seconds=lifetime + margin) + MAX_CLOCK_DIFFERENCE",
        "timedelta(seconds=2)",
    ),
    _mutant(
        "the instant of the write",
        _TWO,
        _CUT,
        "CutOff(claim, digest, before,",
        "CutOff(claim, digest, timing.cutoff_before(now, times),",
    ),
    _mutant(
        "the later one counts",
        _TWO,
        "cutoffs.merge",
        "cutoff.merge(by_value.get(value, cutoff))",
        "cutoff",
    ),
    _mutant(
        "the earlier instant", _TWO, "cutoffs.CutOff.merge", "max(self.before", "min(self.before"
    ),
    _mutant(
        "a cut-off ends a block",
        _BLOCK,
        "cutoffs.CutOff.merge",
        "None if self.until is None or other.until is None else max(self.until, other.until)",
        "self.until or other.until",
    ),
    _mutant(
        "over at its instant",
        _TWO,
        "cutoffs.CutOff.is_over",
        "now > self.until",
        "now > self.before",
    ),
    _mutant("never over", _TWO, "cutoffs.CutOff.is_over", "now > self.until", "False"),
    _mutant(
        "a block behind a cut-off is done",
        _BLOCK,
        _CUT,
        "CutOff(claim, digest, before, None if block else until)",
        "CutOff(claim, digest, before, None if block and not keyset.cutoffs else until)",
    ),
    _mutant("a block that runs again", _RELEASE, _CHECK, "existing.before > before", "False"),
    _mutant("a block may be written at any time", _RELEASE, _CHECK, "is_late or", ""),
    _mutant(
        "a block is late when its tokens are dead",
        _RELEASE,
        _CHECK,
        "timing.block_by(before)",
        "timing.cutoff_until(before, _longest_lifetime(keyset, timing.Times(*[60] * 12)))",
    ),
    _mutant(
        "a release needs no block",
        _RELEASE,
        _FREED,
        "raise NotBlocked(digest)",
        "continue",
    ),
    _mutant(
        "a release knows no later block",
        _RELEASE,
        _FREED,
        "cutoff.before > before",
        "False",
    ),
    _mutant(
        "a release is not done",
        _RELEASE,
        _FREED,
        "cutoff.is_block and cutoff.digest in clients\n",
        "False\n",
    ),
    _mutant(
        "a release is earlier than its block",
        _RELEASE,
        _FREED,
        "CutOff(cutoff.claim, cutoff.digest, before, until)",
        "CutOff(cutoff.claim, cutoff.digest, cutoff.before - (before - cutoff.before), until)",
    ),
    _mutant(
        "whatever is dropped follows",
        _TWO,
        "succession._check_known_cutoff",
        "cutoff.until is None or after.at <= cutoff.until",
        "False",
    ),
    _mutant(
        "what is earlier follows",
        _TWO,
        "succession._check_known_cutoff",
        "cutoff_after.before < cutoff.before",
        "False",
    ),
    _mutant(
        "what ends earlier follows",
        _TWO,
        "succession._check_known_cutoff",
        "cutoff.until and cutoff_after.until and cutoff_after.until < cutoff.until",
        "False",
    ),
)
MUTANTS: Mapping[str, Mutant] = {mutant.name: mutant for mutant in _LIST}


def of_scenario(name: str) -> Outcome:
    """The product as it is."""
    return _explored(name, name)


def of_mutant(name: str) -> Outcome:
    """The product without one of its rules."""
    mutant = MUTANTS[name]
    with mutant.applied():
        return _explored(name, mutant.scenario)


def _explored(name: str, scenario: str) -> Outcome:
    cutoffs.forget()
    kinds = SCENARIOS[scenario]
    return explore(
        name,
        scenario,
        cutoffs.start(kinds),
        cutoffs.moves,
        cutoffs.wrong,
        constants=f"ε {cutoffs.SKEW} s, every step at most twice",
        actors=(*kinds, "reconcile", "deployment"),
        count_keysets=lambda states: len({(state.entry, state.is_longer) for state in states}),
    )
