"""Mutants of the history: each believes an object that somebody else wrote."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from keyturn.aws.keyset import history
from keyturn.aws.keyset.history import History
from keyturn.rotation import publish_jwks, put_back


def an_object_of_the_number_is_the_generation() -> AbstractContextManager[Any]:
    """As it was: its name was the proof that it had been told."""

    def holds(self: Any, generation: Any) -> bool:
        return generation.number in [one.number for one in self.generations()]

    return patch.object(History, "holds", holds)


def an_object_of_the_name_is_the_generation() -> AbstractContextManager[Any]:
    """Whatever is in it."""

    def holds(self: Any, generation: Any) -> bool:
        name = history._name(generation.number, generation.text)
        return name in [one.name for one in self.objects()]

    return patch.object(History, "holds", holds)


def other_bytes_stop_the_recording() -> AbstractContextManager[Any]:
    """As it was: nothing is ever written over."""

    def keep(self: Any, name: str, text: str, kind: str) -> bool:
        self._put(name, text.encode(errors="surrogatepass"), kind, {"IfNoneMatch": "*"})
        return False

    return patch.object(History, "_keep", keep)


def whatever_says_that_it_follows_comes_back() -> AbstractContextManager[Any]:
    """Its parent's hash is no proof: anybody can read the text."""
    return patch.object(put_back, "find_violation", lambda _before, _after: None)


def any_object_of_the_number_backs_a_jwks() -> AbstractContextManager[Any]:
    """As it was: a forged JWKS and a forged object wedge the publication."""

    def find_branches(stack: Any, _lineage: Any) -> Any:
        return stack.history.generations()

    return patch.object(publish_jwks, "find_branches", find_branches)
