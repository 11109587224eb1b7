# /// script
# requires-python = ">=3.11"
# ///
"""Finish the artefact that `sam build` leaves: remove unused models, add bytecode, archive it.

    uv run functions/keyturn/cli/finish_build.py [.aws-sam/build]

Lambda's folder is read-only, so code that is not compiled here is compiled at every cold start. All functions
share one folder, which `sam deploy` would archive anew for each of them.
Only the standard library is imported, because this also runs outside the project's environment.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

_SERVICES = "from keyturn.aws.clients import SERVICES; print(*SERVICES)"
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
_TASK_ROOT = "/var/task"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP knows


class NotBuilt(Exception):
    """There is no artefact of `sam build`, or it was not built from this template."""


class Finished(NamedTuple):
    """A finished artefact."""

    folder: Path
    archive: Path
    python: str  # version of the functions' Python, as in `3.14`
    compiled: bool  # whether that Python was available to compile with
    megabytes: float  # unzipped


def finish(build: Path) -> list[Finished]:
    """Finish every artefact below `build`, and name its archive in the template; may be repeated. Raises NotBuilt."""
    folders = sorted(keyturn.parent for keyturn in build.glob("*/keyturn"))
    if not folders:
        raise NotBuilt(f"{build} holds no artefact: run `sam build` first")
    artefacts = [_finish(folder) for folder in folders]
    template = build / "template.yaml"
    text = template.read_text()
    for artefact in artefacts:
        text = text.replace(f": {artefact.folder.name}\n", f": {artefact.archive.name}\n")
    template.write_text(text)
    return artefacts


def _finish(folder: Path) -> Finished:
    _drop_unused_models(folder)
    version = _runtime_version(folder)
    python = _find_python(version)
    if python:
        _compile(folder, python)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Finished(folder, _archive(folder), version, bool(python), size / 2**20)


def _drop_unused_models(folder: Path) -> None:
    """Remove botocore's models, four hundred services, except the dozen that the functions call."""
    used = _output([sys.executable, "-S", "-B", "-c", _SERVICES], PYTHONPATH=str(folder)).split()
    if not used:
        raise NotBuilt(f"{folder} does not say which services it calls: run `sam build` again")
    for path in (folder / "botocore/data").glob("*/"):
        if path.name not in used:
            shutil.rmtree(path)


def _runtime_version(folder: Path) -> str:
    """The functions' Python, from a wheel's tag such as `cp314-cp314-manylinux_2_17_aarch64`."""
    for wheel in folder.glob("pydantic_core-*.dist-info/WHEEL"):
        if tag := re.search(r"^Tag: cp(\d)(\d+)-", wheel.read_text(), re.MULTILINE):
            return f"{tag[1]}.{tag[2]}"
    raise NotBuilt(f"{folder} holds no pydantic-core: run `sam build` again")


def _find_python(version: str) -> str | None:
    """An interpreter with the runtime's version; its processor and system do not matter."""
    candidates = [sys.executable, shutil.which(f"python{version}")]
    if uv := shutil.which("uv"):
        candidates.append(_output([uv, "python", "find", "--no-project", version]))
    for candidate in candidates:
        if candidate and _output([candidate, "-c", _VERSION]) == version:
            return candidate
    return None


def _compile(folder: Path, python: str) -> None:
    """Compile to unchecked bytecode, because unzipped files do not keep the build's timestamps."""
    invalidation = ("--invalidation-mode", "unchecked-hash")
    paths = ("-s", str(folder), "-p", _TASK_ROOT)  # the same bytes wherever it is built
    subprocess.run(
        [python, "-m", "compileall", "-q", "-f", "-j", "0", *invalidation, *paths, str(folder)],
        check=True,
    )


def _archive(folder: Path) -> Path:
    """A ZIP archive of the folder that depends on names and contents alone."""
    path = folder.with_suffix(".zip")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = (0o100755 if os.access(file, os.X_OK) else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    return path


def _output(command: list[str], **environ: str) -> str:
    """A command's output; empty if it fails."""
    ran = subprocess.run(command, env=environ or None, capture_output=True, text=True, check=False)
    return "" if ran.returncode else ran.stdout.strip()


def main(arguments: list[str]) -> int:
    """Print what was done and what was not; the exit status is 0 even without bytecode."""
    try:
        artefacts = finish(Path(arguments[0] if arguments else ".aws-sam/build"))
    except NotBuilt as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for artefact in artefacts:
        python = f"Python {artefact.python}"
        sys.stdout.write(
            f"{artefact.folder}: {artefact.megabytes:.0f} MiB unzipped, "
            f"{'with' if artefact.compiled else 'without'} bytecode of {python}\n"
        )
        if not artefact.compiled:
            sys.stderr.write(
                f"{python}, on which the functions run, is not on this machine: every cold start compiles "
                f"what it imports, which doubles it. Run `uv python install {artefact.python}`, then this again.\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
