"""Mutants of what a container believes, and for how long."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from keyturn.aws.keyset.reader import KeysetReader
from keyturn.aws.view import View, _Entry


def a_reader_goes_back() -> AbstractContextManager[Any]:
    """A view believes whatever SSM answers."""

    def refresh(self: Any) -> bool:
        sent = self._now()
        self._entry = _Entry(self._reader.read(), sent)
        return True

    return patch.object(View, "_refresh", refresh)


def a_view_never_grows_too_old() -> AbstractContextManager[Any]:
    """Without SSM the authorizer goes on for ever."""

    def get(self: Any) -> Any:
        if self._is_older_than(self._ttl) and self._may_read():
            self._refresh()
        return self._value()

    return patch.object(View, "get", get)


def the_issuer_goes_on_with_an_older_view() -> AbstractContextManager[Any]:
    """As long as an authorizer may."""
    return patch.object(View, "get_fresh", View.get)


def ages_count_from_the_answer() -> AbstractContextManager[Any]:
    """A view is as young as its reply, not as its request."""

    def refresh(self: Any) -> bool:
        done = real(self)
        if done:
            self._entry = _Entry(self._entry.value, self._now())
        return done

    real = View._refresh
    return patch.object(View, "_refresh", refresh)


def a_reader_whose_generation_is_gone_goes_back() -> AbstractContextManager[Any]:
    """It takes what is left after a deletion, like a new container."""

    def read_newer(self: Any, held: Any) -> Any:
        lineage = self._extend(held)
        return lineage.head if lineage else self.read()

    return patch.object(KeysetReader, "read_newer", read_newer)
