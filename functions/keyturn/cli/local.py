"""A local AWS: MiniStack on loopback at a free port, with stacks deployed by the real SAM CLI.

The demo, the end-to-end tests and whoever wants a test issuer use this.
"""

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
_ACCESS_KEY = "test"
_ARTIFACTS = "keyturn-artifacts"


class LocalAwsFailed(Exception):
    """A tool did not do its work; the message ends with what it last said."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where the repository is, and below it the tools that `make setup` installed."""

    root: Path

    @property
    def ministack(self) -> Path:
        """The server, in an environment of its own."""
        return self.root / "build/env/ministack/bin/ministack"

    @property
    def sam(self) -> Path:
        """The SAM CLI, in an environment of its own."""
        return self.root / "build/env/sam/bin/sam"

    @property
    def built(self) -> Path:
        """The template that `sam build` wrote."""
        return self.root / "build/sam/template.yaml"

    def build(self) -> Path:
        """`sam build` for this machine's processor and Python; returns the built template."""
        machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
        runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self._run_sam(
            "build",
            *("--template-file", str(self.root / "template.yaml")),
            *("--build-dir", str(self.built.parent)),
            *("--cache-dir", str(self.root / "build/sam-cache")),
            *("--parameter-overrides", f"Architecture={machine}", f"PythonRuntime={runtime}"),
            environ={},
        )
        return self.built

    def deploy(self, aws: "LocalAws", stack: str, parameters: Mapping[str, object]) -> None:
        """`sam deploy` of what was built; raises LocalAwsFailed with CloudFormation's reason."""
        overrides = {"LocalEndpoint": aws.endpoint, **parameters}
        machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
        runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
        overrides |= {"Architecture": machine, "PythonRuntime": runtime}
        self._run_sam(
            "deploy",
            *("--template-file", str(self.built), "--stack-name", stack),
            "--parameter-overrides",
            *(f"{name}={value}" for name, value in overrides.items()),
            environ=aws.environ,
        )

    def delete(self, aws: "LocalAws", stack: str) -> None:
        """`sam delete`."""
        self._run_sam("delete", "--stack-name", stack, environ=aws.environ)

    def _run_sam(self, *arguments: str, environ: Mapping[str, str]) -> None:
        ran = subprocess.run(
            [
                str(self.sam),
                *arguments,
                *("--config-file", self.root / "samconfig.toml"),
                *("--config-env", "local"),
            ],
            env={**os.environ, "SAM_CLI_TELEMETRY": "0", **environ},
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            said = "\n".join(
                line for line in (ran.stdout + ran.stderr).splitlines() if line and "\tUploading" not in line
            )[-4000:]
            raise LocalAwsFailed(f"sam {arguments[0]} failed:\n{said}")


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running MiniStack."""

    endpoint: str

    @property
    def environ(self) -> Mapping[str, str]:
        """What an AWS SDK needs to talk to it and to nobody else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def running(workshop: Workshop, scratch: Path) -> Iterator[LocalAws]:
    """Start MiniStack with its files below `scratch`; stop it and remove them, whatever happens."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    port = _free_port()
    aws = LocalAws(f"http://127.0.0.1:{port}")
    with (scratch.parent / f"{scratch.name}.log").open("w") as log:
        server = subprocess.Popen(
            [str(workshop.ministack)],
            env={**os.environ, **_server_environ(port, scratch)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_health(aws, server)
            yield aws
        finally:
            _stop(server)
            shutil.rmtree(scratch, ignore_errors=True)


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
    for _ in range(300):
        if server.poll() is not None:
            raise LocalAwsFailed(f"MiniStack ended with status {server.returncode}")
        try:
            with urllib.request.urlopen(f"{aws.endpoint}/_ministack/health", timeout=1):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    else:
        raise LocalAwsFailed("MiniStack did not answer within 30 s")
    bucket = urllib.request.Request(f"{aws.endpoint}/{_ARTIFACTS}", method="PUT")
    with urllib.request.urlopen(bucket, timeout=10):
        pass


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """The server and its Lambda workers are one session, hence one process group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(timeout=5)
        except (ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
