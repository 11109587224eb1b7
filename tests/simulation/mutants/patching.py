"""How a mutant takes the place of something in the product."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import update_wrapper, wraps
from types import ModuleType
from typing import Any
from unittest.mock import patch

from keyturn.rotation.task import Step, task

Variant = Callable[..., Any]


class Mutant:
    """A deliberate fault in the product while the context that it makes is open; its docstring says which."""

    __name__: str

    def __init__(self, patches: Callable[[], AbstractContextManager[Any]]) -> None:
        update_wrapper(self, patches)
        self._patches = patches

    def __call__(self) -> AbstractContextManager[Any]:
        """Open it."""
        return self._patches()


def instead_of(name: str, *owners: Any) -> Callable[[Variant], Mutant]:
    """The decorated function replaces what each of these modules or classes calls `name`."""

    def mutant_of(variant: Variant) -> Mutant:
        @wraps(variant)
        @contextmanager
        def patches() -> Iterator[None]:
            with ExitStack() as stack:
                for owner in owners:
                    stack.enter_context(patch.object(owner, name, variant))
                yield

        return Mutant(patches)

    return mutant_of


def around(name: str, *owners: Any) -> Callable[[Variant], Mutant]:
    """The same; its first argument is what it replaces."""
    real = getattr(owners[0], name)

    def mutant_of(variant: Variant) -> Mutant:
        @wraps(variant)
        def call(*arguments: Any, **options: Any) -> Any:
            return variant(real, *arguments, **options)

        return instead_of(name, *owners)(call)

    return mutant_of


def in_step(module: ModuleType, input_type: Any) -> Callable[[Variant], Mutant]:
    """The decorated function is what this step runs; its first argument is the step's own `run`."""
    step = Step(module.__name__.rpartition(".")[2])

    def mutant_of(variant: Variant) -> Mutant:
        handler = task(step, input_type, lambda *arguments: variant(module.run, *arguments))
        return instead_of("handler", module)(wraps(variant)(handler))

    return mutant_of
