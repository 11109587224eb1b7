"""Check that the artefact's compiled packages run where it is deployed.

`sam build` chooses wheels by the template's Architecture and PythonRuntime, and `sam deploy`
configures the functions by the same parameters. If the two commands use different values, every
import of a compiled package fails. This module reports that, so it imports only the standard
library.
"""

import platform
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution

_COMPILED = ("pydantic_core", "cryptography.hazmat.bindings._rust")
_PROCESSORS = {"aarch64": "arm64"}  # by Lambda's names


class WrongArtefact(Exception):
    """The artefact was built for another processor or another version of Python."""


def check_artefact() -> None:
    """Raise WrongArtefact unless the compiled packages can be imported here."""
    for module in _COMPILED:
        try:
            import_module(module)
        except ImportError as error:
            machine = platform.machine()
            raise WrongArtefact(
                f"{module} cannot be imported: the artefact was built for {_built_for()}, the functions "
                f"run on python{sys.version_info.major}.{sys.version_info.minor} and "
                f"{_PROCESSORS.get(machine, machine)}. Run `sam build` and `sam deploy` with the same "
                "PythonRuntime and Architecture"
            ) from error


def _built_for() -> str:
    """The wheels' Python and processor, from a tag like `cp314-cp314-manylinux_2_17_aarch64`."""
    try:
        wheel = distribution("pydantic-core").read_text("WHEEL") or ""
    except PackageNotFoundError:
        wheel = ""
    tag = next((line for line in wheel.splitlines() if line.startswith("Tag: cp")), "")
    python, _, system = tag.removeprefix("Tag: cp").partition("-")
    if not system:
        return "something else"
    processor = next((name for name in ("aarch64", "x86_64") if system.endswith(name)), system)
    return f"python{python[0]}.{python[1:]} and {_PROCESSORS.get(processor, processor)}"
