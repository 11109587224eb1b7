"""Mutants of what an API accepts."""

from keyturn.aws.faults import UnreadableDocument
from keyturn.aws.registry import Views, _DocumentReader
from keyturn.aws.stack import Stack
from keyturn.tokens.claims import Expectations
from tests.simulation.mutants.patching import around, instead_of


@instead_of("read_newer", _DocumentReader)
def a_document_is_never_read_again(self, held):
    """A container goes by what it read first for as long as it lives."""
    return held if _is_of_apis(self.registry) else self.read()


@instead_of("api", Stack)
def the_api_s_id_is_ignored(self, _api_id):
    """The stack's own settings apply to every API."""
    return self._default_api


@instead_of("expectations", Stack)
def the_stack_s_audience_is_every_api_s(self, _audience):
    """Documents decide about routes only."""
    return Expectations(self.settings.issuer, self.settings.audience, self.times.leeway)


@instead_of("read_newer", _DocumentReader)
def the_last_good_document_counts_for_ever(self, held):
    """A document that does not parse changes nothing."""
    try:
        return self.read()
    except UnreadableDocument:
        if _is_of_apis(self.registry):
            return held
        raise


@instead_of("read", _DocumentReader)
def a_document_that_does_not_parse_is_none(self):
    """The API falls back on the stack's own settings."""
    try:
        return self.registry.read(self.name)
    except UnreadableDocument:
        if _is_of_apis(self.registry):
            return None
        raise


@around("view", Views)
def all_apis_share_a_view(real, self, name):
    """The view of the API that was asked for first serves all of them."""
    if not _is_of_apis(self._registry):
        return real(self, name)
    if not self._views:
        self._views[name] = self._make_view(_DocumentReader(self._registry, name))
    return next(iter(self._views.values()))


def _is_of_apis(registry) -> bool:
    """Clients have mutants of their own."""
    return "/apis/" in registry.parameter_name("x")
