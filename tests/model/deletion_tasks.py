"""The exploration of tests/model/deletion.py, and its mutants."""

import os
from collections.abc import Mapping

from tests.model import deletion, deletion_properties
from tests.model.deletion import Size
from tests.model.mutants import Edit, Mutant
from tests.model.outcome import Outcome
from tests.model.search import explore

_FULL = os.environ.get("FULL") == "1"
_SIZES = {
    "deletions, one writer": Size(("revoke A",), 2, 2),
    "deletions, two writers": Size(("revoke A", "revoke B"), 1, 1),
    "deletions, two of them": Size(("revoke A", "revoke B"), 2, 1, False, False),
    "deletions, a cut-off": Size(("revoke A", "cut off"), 2, 1, False, False),
    "deletions, three writers": Size(("revoke A", "revoke B", "cut off"), 1, 1, False, False),
    "deletions, three of them": Size(("revoke A", "revoke B"), 3, 1, False, False),
    "deletions, writers try again": Size(("revoke A", "revoke B"), 2, 2, False, False),
}
_ONE, _LATE, _TWO, _CUT, _MANY, _THRICE, _AGAIN = _SIZES
# The last is for mutants, who soon show themselves; to its end it takes minutes.
SCENARIOS: Mapping[str, Size] = {
    name: size for name, size in _SIZES.items() if _FULL or name != _AGAIN
}


def _mutant(name: str, scenario: str, where: str, old: str, new: str) -> Mutant:
    room, _, function = where.partition(":")
    return Mutant(f"deletions: {name}", scenario, (Edit(function, old, new, room),))


_NEWER, _COUNTS = (
    "aws.keyset:reader.KeysetReader.read_newer",
    "aws.keyset:store.KeysetStore._is_appended",
)
_FROM, _UPDATE = "aws.keyset:reader.KeysetReader._extend", "aws.keyset:store.KeysetStore.update"
_JOIN, _TIPS = "rotation:repair_keyset.join_branches", "rotation:repair_keyset._tips_to_join"
_MISSING, _FOLLOWING = "rotation:put_back.missing_generations", "rotation:put_back._find_successor"
_BRANCHES, _STEP_OVER = "rotation:branches.find_branches", "rotation:unlawful.step_over"
_LIST = (
    _mutant(
        "a reader takes whatever counts",
        _ONE,
        _NEWER,
        "latest.number < previous.number or violation",
        "False",
    ),
    _mutant(
        "a reader asks the numbers only",
        _LATE,
        _NEWER,
        "latest.number < previous.number or violation",
        "latest.number < previous.number",
    ),
    _mutant(
        "a reader believes a name, whatever its text",
        _LATE,
        _FROM,
        "own.text != previous.text",
        "False",
    ),
    _mutant(
        "a reader goes on from what stands on a lost line",
        _LATE,
        _NEWER,
        "lineage and lineage.next_number == lineage.head.number + 1",
        "lineage",
    ),
    _mutant(
        "a writer reads back only what follows its parent",
        _AGAIN,
        _COUNTS,
        "follows and _holds(self.read_lineage(), successor)",
        "follows",
    ),
    _mutant(
        "nothing is put back",
        _ONE,
        "rotation:put_back.restore_generations",
        "not missing or",
        "True or",
    ),
    _mutant(
        "nothing is put back where nothing counts",
        _ONE,
        _MISSING,
        "root = _newest(stack, history)",
        "root = None",
    ),
    _mutant(
        "what is put back names no parent",
        _LATE,
        _FOLLOWING,
        "generation.parent == parent and ",
        "",
    ),
    _mutant(
        "put back without placeholders", _AGAIN, _MISSING, "if number not in existing", "if False"
    ),
    _mutant(
        "the history before what stands",
        _AGAIN,
        _FOLLOWING,
        "next(filter(follows, in_ssm), None)",
        "None",
    ),
    _mutant(
        "the older of two, whatever stands above",
        _AGAIN,
        _FOLLOWING,
        "one.text in ancestors",
        "False",
    ),
    _mutant("no branch is joined", _LATE, _JOIN, "not lost or ", "True or "),
    _mutant(
        "a branch that can come back is joined",
        _THRICE,
        _JOIN,
        " or is_incomplete(stack, parameters)",
        "",
    ),
    _mutant("joined without what had ended", _LATE, _JOIN, "if key.kid in ended", "if False"),
    _mutant(
        "joined below the branch",
        _AGAIN,
        _JOIN,
        "max(newest + 1, lineage.next_number)",
        "lineage.next_number",
    ),
    _mutant(
        "joined without the cut-offs",
        _CUT,
        _JOIN,
        "_merge_cutoffs(stack, head.keyset, tips)",
        "head.keyset.cutoffs",
    ),
    _mutant(
        "stepped over only what is next", _LATE, _STEP_OVER, "if n in taken_numbers", "if False"
    ),
)
MUTANTS: Mapping[str, Mutant] = {mutant.name: mutant for mutant in _LIST}


def of_scenario(name: str) -> Outcome:
    """The product as it is."""
    return _explored(name, name)


def of_mutant(name: str) -> Outcome:
    """The product without one of its defences."""
    mutant = MUTANTS[name]
    with mutant.applied():
        return _explored(name, mutant.scenario)


def _explored(name: str, scenario: str) -> Outcome:
    deletion_properties.forget()
    size = _SIZES[scenario]
    return explore(
        name,
        scenario,
        deletion.start(size),
        deletion.moves,
        deletion_properties.wrong,
        constants=f"{size.deletions} deletions, each writer at most {size.attempts} times",
        actors=(*size.wishes, "somebody deletes", "record", "restore", "join"),
    )
