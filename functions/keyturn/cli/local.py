"""A local AWS: MiniStack on a free loopback port, with stacks deployed by the real SAM CLI.

Used by the demo, the end-to-end tests and `keyturn local`.
"""

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import urllib3

from keyturn.aws.clients import session
from keyturn.aws.operator.deployment import failed_resources
from keyturn.cli.finish_build import Finished, finish

REGION = "us-east-1"
_ACCESS_KEY = "test"
_ARTIFACTS = "keyturn-artifacts"
_LOCAL = ("--config-env", "local")


class ToolFailed(Exception):
    """A tool failed; the message ends with its last output."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """The repository, the tools that `make setup` has installed in it, and where they write."""

    root: Path
    place: Path

    @property
    def ministack(self) -> Path:
        """The server, in its own environment."""
        return self.root / "build/env/ministack/bin/ministack"

    @property
    def sam(self) -> Path:
        """The SAM CLI, in its own environment."""
        return self.root / "build/env/sam/bin/sam"

    @property
    def path(self) -> str:
        """PATH with these tools, including uv, which `sam build` calls."""
        tools = (self.root / "build/env/uv/bin", self.sam.parent)
        return os.pathsep.join([*map(str, tools), os.environ["PATH"]])

    @property
    def built(self) -> Path:
        """The template that `sam build` wrote."""
        return self.place / ".aws-sam/build/template.yaml"

    def build(self, **parameters: str) -> Finished:
        """Run `sam build`, by default for this machine's processor and Python, then finish the artefact."""
        self.place.mkdir(parents=True, exist_ok=True)
        template = ("--template-file", str(self.root / "template.yaml"))
        self.run_sam("build", *template, *_overrides(parameters), *_LOCAL)
        [artefact] = finish(self.built.parent)
        return artefact

    def deploy(self, aws: "LocalAws", stack: str, parameters: Mapping[str, object]) -> None:
        """Run `sam deploy` with the built template; raises ToolFailed."""
        overrides = _overrides({"LocalEndpoint": aws.endpoint, **parameters})
        self.sam_deploy(stack, "--template-file", str(self.built), *overrides, *_LOCAL)

    def delete(self, stack: str) -> None:
        """`sam delete`."""
        self.run_sam("delete", "--stack-name", stack, "--no-prompts", *_LOCAL)

    def sam_deploy(self, stack: str, *arguments: str) -> None:
        """`sam deploy`; raises ToolFailed with CloudFormation's reasons."""
        try:
            self.run_sam("deploy", "--stack-name", stack, *arguments)
        except ToolFailed:
            if reasons := failed_resources(stack):
                raise ToolFailed("sam deploy failed: " + "; ".join(reasons)) from None
            raise

    def run_sam(self, *arguments: str) -> None:
        """The project's own SAM CLI; raises ToolFailed with its last output."""
        completed = subprocess.run(
            [str(self.sam), *arguments, "--config-file", str(self.root / "samconfig.toml")],
            env={**os.environ, "SAM_CLI_TELEMETRY": "0", "PATH": self.path},
            cwd=self.place,
            capture_output=True,
            text=True,
            check=False,
        )
        if completed.returncode:
            output = (completed.stdout + completed.stderr).strip().splitlines()[-12:]
            raise ToolFailed("\n".join([f"sam {arguments[0]} failed:", *output]))


def _overrides(parameters: Mapping[str, object]) -> list[str]:
    here = {
        "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        "PythonRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
    }
    values = (f'{name}="{value}"' for name, value in {**here, **parameters}.items())
    return ["--parameter-overrides", *values]


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running MiniStack."""

    endpoint: str

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that makes AWS SDKs use this server and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def running(workshop: Workshop) -> Iterator[LocalAws]:
    """Start MiniStack; always stop it and remove its files afterwards.

    Meanwhile this process's environment makes every AWS SDK use it and nothing else.
    """
    before = dict(os.environ)
    server = start(workshop)
    try:
        os.environ.update(server.aws.environ)
        session.cache_clear()  # in case this process has used AWS before
        yield server.aws
    finally:
        os.environ.clear()
        os.environ.update(before)
        session.cache_clear()
        server.stop()


@dataclass(frozen=True, slots=True)
class Server:
    """A MiniStack process, the leader of its own session, so that it outlives the terminal."""

    pid: int
    aws: LocalAws
    scratch: Path

    def stop(self) -> None:
        """Stop the server and its Lambda workers (one process group), and remove their files."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, sign)
            if self._gone_within(5):
                break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # workers that outlived their server
        shutil.rmtree(self.scratch, ignore_errors=True)

    def is_running(self) -> bool:
        """Whether this server is running, rather than another process with the same pid."""
        try:
            command = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return False
        return b"ministack" in command

    def _gone_within(self, seconds: float) -> bool:
        for _ in range(int(seconds * 20)):
            with suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
            if not self.is_running():
                return True
            time.sleep(0.05)
        return False


def start(workshop: Workshop) -> Server:
    """Start MiniStack on a free port, with its files in the workshop's place; raises ToolFailed."""
    scratch = workshop.place / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    port = free_port()
    with (scratch.parent / f"{scratch.name}.log").open("w") as log:
        process = subprocess.Popen(
            [str(workshop.ministack)],
            env={**os.environ, **_server_environ(port, scratch)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process.pid, LocalAws(f"http://127.0.0.1:{port}"), scratch)
    try:
        _await_health(server.aws, process)
    except BaseException:
        server.stop()
        raise
    process.returncode = 0  # it lives on as a Server, so Popen must not warn about it
    return server


def _server_environ(port: int, scratch: Path) -> Mapping[str, str]:
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(scratch),
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }


def _await_health(aws: LocalAws, server: "subprocess.Popen[bytes]") -> None:
    http = urllib3.PoolManager(timeout=1, retries=False)
    for _ in range(300):
        if server.poll() is not None:
            raise ToolFailed(f"MiniStack ended with status {server.returncode}")
        try:
            http.request("GET", f"{aws.endpoint}/_ministack/health")
            http.request("PUT", f"{aws.endpoint}/{_ARTIFACTS}", timeout=10)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise ToolFailed("MiniStack did not answer within 30 s")


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
