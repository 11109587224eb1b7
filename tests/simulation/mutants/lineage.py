"""Mutants of which generation counts: each lets an adversary in."""

from keyturn.aws.keyset import reader
from keyturn.keyset import lineage
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import HIGHEST, Lineage
from keyturn.rotation import reconcile, record_changes
from tests.simulation.mutants.patching import around, instead_of


@instead_of("find_violation", lineage)
def whatever_names_its_parent_follows(_before, _after):
    """The parent's hash is taken for proof, though anybody can read the text."""


@instead_of("trace", reader)
def the_lowest_number_is_the_root(parameters):
    """The oldest generation by SSM's own date should be the root."""
    numbered = [one for one in parameters if one.number is not None]
    by_number = {one.number: one for one in numbered}
    for one in sorted(numbered, key=lambda one: one.name):
        try:
            return Lineage.from_generation(lineage._read(one)).extend(by_number)
        except DocumentInvalid:
            continue
    return None


@instead_of("trace", reader)
def the_highest_number_counts(parameters):
    """As it was before generations had parents."""
    numbered = [one for one in parameters if (one.number or HIGHEST) < HIGHEST]
    for one in sorted(numbered, key=lambda one: one.name, reverse=True):
        try:
            return Lineage.from_generation(lineage._read(one))
        except DocumentInvalid:
            continue
    return None


@around("extend", Lineage)
def what_does_not_follow_blocks_the_name(real, self, parameters):
    """A writer never steps over a foreign parameter, so no key can be revoked."""
    whole = real(self, parameters)
    return Lineage(whole.chain, whole.head.number + 1, whole.rejections)


@instead_of("restore_generations", reconcile, record_changes)
def nothing_is_put_back(_stack):
    """A deleted generation is lost for good."""
    return []


@instead_of("restore_generations", record_changes)
def only_reconcile_puts_back(_stack):
    """SSM's own event repairs nothing."""
    return []
