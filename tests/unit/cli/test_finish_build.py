"""What `sam build` leaves is completed: without models that no call uses, with bytecode, archived once."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from keyturn.cli import finish_build
from keyturn.cli.finish_build import NotBuilt, finish, main

TEMPLATE = """\
Globals:
  Function:
    CodeUri: functions/
Resources:
  AuthorizeFunction:
    Properties:
      CodeUri: CheckSettingsFunction-Shared
  KeysetFunction:
    Properties:
      Code: CheckSettingsFunction-Shared
    Metadata:
      SamResourceId: CheckSettingsFunction
"""
HERE = f"{sys.version_info.major}{sys.version_info.minor}"


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    """A build directory's one artefact, in small; its Python is the one that runs the tests."""
    folder = tmp_path / "CheckSettingsFunction-Shared"
    for service in ("kms", "ssm", "ec2", "sagemaker"):
        (folder / "botocore/data" / service).mkdir(parents=True)
    (folder / "botocore/data/endpoints.json").write_text("{}")
    (folder / "keyturn/aws").mkdir(parents=True)
    (folder / "keyturn/aws/clients.py").write_text('SERVICES = {"kms", "ssm"}\n')
    (folder / "keyturn/answer.py").write_text("ANSWER = 42\n")
    (folder / "pydantic_core-2.50.4.dist-info").mkdir()
    tag(folder, HERE)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return folder


def tag(folder: Path, version: str) -> None:
    """Say for which Python the wheels are."""
    wheel = folder / "pydantic_core-2.50.4.dist-info/WHEEL"
    wheel.write_text(f"Wheel-Version: 1.0\nTag: cp{version}-cp{version}-manylinux_2_17_aarch64\n")


def bytecode(folder: Path) -> list[Path]:
    """The compiled files."""
    return sorted(folder.rglob("*.pyc"))


def test_models_of_services_that_are_not_called_are_dropped(artefact: Path) -> None:
    """The artefact's own list decides which models stay; files that are not models stay."""
    finish(artefact.parent)
    assert {path.name for path in (artefact / "botocore/data").iterdir()} == {
        "kms",
        "ssm",
        "endpoints.json",
    }


def test_the_bytecode_is_used_whatever_the_files_times_are(artefact: Path) -> None:
    """Unzipped files have other times than built ones, and Lambda's folder cannot be written.

    Source: PEP 552 (unchecked hash-based bytecode).
    """
    [finished] = finish(artefact.parent)
    assert finished.compiled
    source = artefact / "keyturn/answer.py"
    assert Path(importlib.util.cache_from_source(str(source))) in bytecode(artefact)
    source.write_text("ANSWER = 43\n")
    os.utime(source, (0, 0))
    code = "from keyturn.answer import ANSWER; print(ANSWER)"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(artefact)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "42\n"


def test_all_functions_share_one_archive(artefact: Path) -> None:
    """`sam deploy` uploads a file as it is, and archives a folder once for each function that names it."""
    [finished] = finish(artefact.parent)
    template = (artefact.parent / "template.yaml").read_text()
    assert template == TEMPLATE.replace(artefact.name, f"{artefact.name}.zip")
    with zipfile.ZipFile(finished.archive) as archive:
        files = {str(file.relative_to(artefact)) for file in artefact.rglob("*") if file.is_file()}
        assert set(archive.namelist()) == files
        assert archive.read("keyturn/answer.py") == b"ANSWER = 42\n"


def test_two_builds_make_the_same_bytes(artefact: Path, tmp_path: Path) -> None:
    """The archive tells neither where nor when it was built, so an unchanged one is not uploaded again; modes are kept."""
    (artefact / "keyturn/answer.py").chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(artefact, elsewhere / artefact.name, copy_function=shutil.copy)
    shutil.copy(artefact.with_name("template.yaml"), elsewhere)
    os.utime(artefact / "keyturn/answer.py", (0, 0))
    [first], [second] = finish(artefact.parent), finish(elsewhere)
    assert first.archive.read_bytes() == second.archive.read_bytes()
    with zipfile.ZipFile(first.archive) as archive:
        modes = {entry.filename: oct(entry.external_attr >> 16) for entry in archive.infolist()}
    assert modes["keyturn/answer.py"] == "0o100755"
    assert modes["botocore/data/endpoints.json"] == "0o100644"


def test_it_can_be_finished_again(artefact: Path) -> None:
    """A second time, as after an interruption, changes nothing."""
    [first] = finish(artefact.parent)
    archive = first.archive.read_bytes()
    [again] = finish(artefact.parent)
    assert again == first
    assert again.archive.read_bytes() == archive


def test_without_the_runtimes_python_it_says_what_that_costs(artefact: Path, capsys) -> None:
    """It leaves bytecode out rather than add some that Lambda ignores; the build is good, so the status is 0."""
    tag(artefact, "399")
    assert main([str(artefact.parent)]) == 0
    assert bytecode(artefact) == []
    streams = capsys.readouterr()
    assert "without bytecode of Python 3.99" in streams.out
    assert "Run `uv python install 3.99`, then this again." in streams.err


def test_uv_is_asked_for_another_python(artefact: Path, monkeypatch, tmp_path: Path) -> None:
    """The Python of the functions is seldom the one that runs this."""
    versions = []

    def output(command: list[str], **_: str) -> str:
        if "find" in command:
            versions.append(command[-1])
            return "/opt/python3.99"
        return "3.99" if command[0] == "/opt/python3.99" else "kms ssm"

    monkeypatch.setattr(finish_build, "_output", output)
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/uv" * (name == "uv"))
    compiled = []
    monkeypatch.setattr(finish_build, "_compile", lambda *paths: compiled.append(paths))
    tag(artefact, "399")
    finish(artefact.parent)
    assert versions == ["3.99"]
    assert compiled == [(artefact, "/opt/python3.99")]


def test_nothing_built_is_said(tmp_path: Path, capsys) -> None:
    """The error names the command that builds."""
    assert main([str(tmp_path)]) == 1
    assert "run `sam build` first" in capsys.readouterr().err


def test_an_artefact_that_cannot_tell_its_services_keeps_their_models(artefact: Path) -> None:
    """An error is not taken for an empty list of services."""
    (artefact / "keyturn/aws/clients.py").write_text("raise ImportError\n")
    with pytest.raises(NotBuilt, match="run `sam build` again"):
        finish(artefact.parent)
    assert (artefact / "botocore/data/kms").exists()
