"""stepfunctions-local, the second engine that runs the definition, on loopback."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from keyturn.cli.local import free_port

_TOOL = Path(__file__).parent / "node_modules/.bin/stepfunctions-local"


@contextmanager
def stepfunctions_local(lambda_endpoint: str) -> Iterator[str]:
    """Start it on a free port, invoking the Lambdas of that endpoint; gives its own endpoint."""
    port = free_port()
    command = [str(_TOOL), "start", "--port", str(port), "--region", "us-east-1"]
    command += ["--lambda-endpoint", lambda_endpoint, "--lambda-region", "us-east-1"]
    endpoint = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(100):
                try:
                    urllib3.request("GET", endpoint, retries=False)
                    break
                except urllib3.exceptions.HTTPError:
                    time.sleep(0.1)
            yield endpoint
        finally:
            server.terminate()
