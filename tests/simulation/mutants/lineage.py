"""Mutants of what counts: each lets the adversary in."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from keyturn.aws.keyset import reader
from keyturn.keyset import lineage
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import HIGHEST, Lineage
from keyturn.rotation import reconcile, record_changes
from tests.simulation.mutants.patching import everywhere


def whatever_names_its_parent_follows() -> AbstractContextManager[Any]:
    """The hash alone is no proof: anybody can read the text."""
    return patch.object(lineage, "find_violation", lambda _before, _after: None)


def the_lowest_number_is_the_root() -> AbstractContextManager[Any]:
    """Not the oldest by SSM's own date."""

    def trace(parameters: Any) -> Any:
        numbered = [one for one in parameters if one.number is not None]
        by_number = {one.number: one for one in numbered}
        for one in sorted(numbered, key=lambda one: one.name):
            try:
                return Lineage.from_generation(lineage._read(one)).extend(by_number)
            except DocumentInvalid:
                continue
        return None

    return patch.object(reader, "trace", trace)


def the_highest_number_counts() -> AbstractContextManager[Any]:
    """As it was before generations had parents."""

    def trace(parameters: Any) -> Any:
        numbered = [one for one in parameters if (one.number or HIGHEST) < HIGHEST]
        for one in sorted(numbered, key=lambda one: one.name, reverse=True):
            try:
                return Lineage.from_generation(lineage._read(one))
            except DocumentInvalid:
                continue
        return None

    return patch.object(reader, "trace", trace)


def what_does_not_follow_blocks_the_name() -> AbstractContextManager[Any]:
    """A writer never steps over it: nobody can be revoked."""
    real = Lineage.extend

    def extend(self: Any, parameters: Any) -> Any:
        whole = real(self, parameters)
        return Lineage(whole.chain, whole.head.number + 1, whole.rejections)

    return patch.object(Lineage, "extend", extend)


def nothing_is_put_back() -> AbstractContextManager[Any]:
    """What somebody deleted is gone for good."""
    return everywhere("restore_generations", lambda _stack: [], reconcile, record_changes)


def only_reconcile_puts_back() -> AbstractContextManager[Any]:
    """SSM's own event repairs nothing."""
    return patch.object(record_changes, "restore_generations", lambda _stack: [])
