"""A verifier in a process of its own, which trusts the site's certificate authority."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.verifiers.issuer import AUDIENCE, Issuer

_HERE = Path(__file__).parent


class Process:
    """Its clock stands at the issuer's."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, issuer: Issuer, options: Mapping[str, Any]) -> None:
        """A new verifier of this issuer's tokens, which knows no key yet."""
        self._ask(issuer.now, issuer=issuer.url, audience=AUDIENCE, options=options)

    def refusal(self, issuer: Issuer, token: str) -> str | None:
        """What the token is refused with, None if it is accepted."""
        answer: str | None = self._ask(issuer.now, token=token)["refusal"]
        return answer

    def _ask(self, now: datetime, **request: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps({"at": now.timestamp(), **request}), file=self._process.stdin)
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def running(lines: Path, authority: Path) -> Iterator[Process]:
    """The verifier that the file `lines` makes."""
    runtime = sys.executable if lines.suffix == ".py" else "node"
    trust = {"SSL_CERT_FILE": str(authority), "NODE_EXTRA_CA_CERTS": str(authority)}
    with subprocess.Popen(
        [runtime, _HERE / f"verify{lines.suffix}", lines],
        env={**os.environ, **trust, "NODE_NO_WARNINGS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Process(process)  # it ends when its input does
