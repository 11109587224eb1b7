"""Requests to AWS as they arrive on loopback: the operation, and what the signature names."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit


class Listener(Protocol):
    """A fake that answers requests: status, content type, body, and perhaps headers."""

    url: str

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Any:
        """What it answers."""
        ...


T = TypeVar("T", bound=Listener)


@dataclass(frozen=True)
class Signed:
    """A request as it arrived: what it asked for, and what its signature names (empty if none)."""

    operation: str
    access_key: str
    region: str


def operation_of(method: str, target: str, headers, body: bytes) -> tuple[str, dict]:
    """By the target (JSON), the form (query) or the path (REST); and its arguments."""
    if name := headers.get("X-Amz-Target"):
        return name.rpartition(".")[2], json.loads(body or b"{}")
    form = parse_qs(body.decode(errors="replace"))
    if "Action" in form:
        return form["Action"][0], form
    path = urlsplit(target).path
    if path.startswith("/api"):
        return f"{method} {path}", {}
    arguments = {"path": path, "headers": dict(headers), "body": body}
    return f"{method} /{path.split('/')[1]}", arguments


@contextmanager
def serve(fake: T) -> Iterator[T]:
    """Let it listen on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version, wbufsize, disable_nagle_algorithm = "HTTP/1.1", -1, True

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = fake.answer(self.command, self.path, self.headers, body)
            status, kind, content, *more = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815

        def handle_expect_100(self) -> bool:
            continues = super().handle_expect_100()
            self.wfile.flush()  # botocore waits a second for it
            return continues

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        server.shutdown()
        thread.join()
