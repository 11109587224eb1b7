"""The product with one guard or term taken out, by rewriting the source of one function at run time.

A rewriting that finds its text not exactly once fails: a mutant can not silently stop being one.
"""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any
from unittest.mock import patch

from keyturn.keyset import states
from keyturn.keyset.states import Event, State
from tests.model.constants import Constants


@dataclass(frozen=True)
class Edit:
    """In the source of `keyturn.<room>.<where>`, `old` becomes `new`."""

    where: str  # module.function or module.Class.method
    old: str
    new: str
    room: str = "keyset"

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product with this edit, for as long as the context lasts."""
        module_name, *owners, name = self.where.split(".")
        module: Any = import_module(f"keyturn.{self.room}.{module_name}")
        owner = module
        for step in owners:
            owner = getattr(owner, step)
        source = textwrap.dedent(inspect.getsource(getattr(owner, name)))
        if source.count(self.old) != 1:
            raise LookupError(f"{self.where} holds {self.old!r} {source.count(self.old)} times")
        namespace: dict[str, Any] = {}
        rewritten = compile(source.replace(self.old, self.new), self.where, "exec")
        exec(rewritten, module.__dict__, namespace)
        with patch.object(owner, name, namespace[name]):
            yield


@dataclass(frozen=True)
class Entry:
    """An entry of states.TABLE, added, changed, or with None taken out."""

    state: State
    event: Event
    leads_to: State | None

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product with this table, for as long as the context lasts."""
        row: Any = states.TABLE[self.state]
        changed = {} if self.leads_to is None else {self.event: self.leads_to}
        with patch.dict(row, changed):
            if self.leads_to is None:
                del row[self.event]
            yield


@dataclass(frozen=True)
class Mutant:
    """A broken product, and the scenario that must show it.

    `equivalent` says why no exploration can: then the scenario must pass.
    """

    name: str
    scenario: str
    edits: tuple[Edit | Entry, ...] = ()
    equivalent: str = ""
    broken: dict[str, Any] = field(default_factory=dict)  # constants of a broken design

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The broken product, for as long as the context lasts."""
        with ExitStack() as stack:
            for edit in self.edits:
                stack.enter_context(edit.applied())
            yield

    def constants(self, constants: Constants) -> Constants:
        """The scenario's constants, with what this mutant breaks."""
        return replace(constants, **self.broken)
