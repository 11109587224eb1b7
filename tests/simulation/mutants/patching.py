"""How a mutant is put in the place of the product's own."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from keyturn.rotation.task import Step, task


def rebuilt(module: Any, input_type: Any, run: Any) -> AbstractContextManager[Any]:
    """The step's handler, made anew around another `run`."""
    step = Step(module.__name__.rpartition(".")[2])
    return patch.object(module, "handler", task(step, input_type, run))


@contextmanager
def everywhere(name: str, value: Any, *modules: Any) -> Iterator[None]:
    """The same name in every module that has imported it."""
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch.object(module, name, value))
        yield
