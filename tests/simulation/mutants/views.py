"""Mutants of what a container believes, and for how long."""

from keyturn.aws.keyset.reader import KeysetReader
from keyturn.aws.view import View, _Entry
from tests.simulation.mutants.patching import around, instead_of


@instead_of("_refresh", View)
def a_reader_goes_back(self):
    """A view believes whatever SSM answers."""
    sent = self._now()
    self._entry = _Entry(self._reader.read(), sent)
    return True


@instead_of("read_newer", KeysetReader)
def a_reader_whose_generation_is_gone_goes_back(self, held):
    """After a deletion it accepts what remains, like a new container."""
    lineage = self._extend(held)
    return lineage.head if lineage else self.read()


@instead_of("get", View)
def a_view_never_grows_too_old(self):
    """Without SSM the authorizer goes on for ever."""
    if self._is_older_than(self._ttl) and self._may_read():
        self._refresh()
    return self._value()


@instead_of("get_fresh", View)
def the_issuer_goes_on_with_an_older_view(self):
    """The issuer uses a view for as long as an authorizer may."""
    return self.get()


@around("_refresh", View)
def ages_count_from_the_answer(real, self):
    """A view's age counts from the reply, not from the request."""
    done = real(self)
    if done:
        self._entry = _Entry(self._entry.value, self._now())
    return done
