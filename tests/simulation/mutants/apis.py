"""Mutants of what an API accepts."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from keyturn.aws import registry
from keyturn.aws.faults import UnreadableDocument
from keyturn.aws.stack import Stack
from keyturn.tokens.claims import Expectations


def a_document_is_never_read_again() -> AbstractContextManager[Any]:
    """What a container saw first counts for as long as it lives."""

    def read_newer(self: Any, held: Any) -> Any:
        return held if _is_of_apis(self.registry) else self.read()

    return patch.object(registry._DocumentReader, "read_newer", read_newer)


def the_api_s_id_is_ignored() -> AbstractContextManager[Any]:
    """Every API is as the stack's own settings say."""
    return patch.object(Stack, "api", lambda self, _api_id: self._default_api)


def the_stack_s_audience_is_every_api_s() -> AbstractContextManager[Any]:
    """Documents have a say on routes only."""

    def expectations(self: Any, _audience: str) -> Expectations:
        return Expectations(self.settings.issuer, self.settings.audience, self.times.leeway)

    return patch.object(Stack, "expectations", expectations)


def the_last_good_document_counts_for_ever() -> AbstractContextManager[Any]:
    """One that does not parse changes nothing."""

    def read_newer(self: Any, held: Any) -> Any:
        try:
            return self.read()
        except UnreadableDocument:
            if _is_of_apis(self.registry):
                return held
            raise

    return patch.object(registry._DocumentReader, "read_newer", read_newer)


def a_document_that_does_not_parse_is_none() -> AbstractContextManager[Any]:
    """And the API falls back on the stack's own settings."""

    def read(self: Any) -> Any:
        try:
            return self.registry.read(self.name)
        except UnreadableDocument:
            if _is_of_apis(self.registry):
                return None
            raise

    return patch.object(registry._DocumentReader, "read", read)


def all_apis_share_a_view() -> AbstractContextManager[Any]:
    """Whichever was asked for first."""

    def view(self: Any, name: str) -> Any:
        if not _is_of_apis(self._registry):
            return real(self, name)
        if not self._views:
            self._views[name] = self._make_view(registry._DocumentReader(self._registry, name))
        return next(iter(self._views.values()))

    real = registry.Views.view
    return patch.object(registry.Views, "view", view)


def _is_of_apis(of: Any) -> bool:
    """Clients have mutants of their own."""
    return "/apis/" in of.parameter_name("x")
