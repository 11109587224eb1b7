"""SSM and KMS as far as a cold start asks for them, on this machine: the answers take no time."""

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

material = json.loads(Path(sys.argv[1]).read_text())
_der = material["der"]
_PAGE = {**material["page"], "InvalidParameters": []}
ANSWERS: dict[str, dict[str, Any]] = {
    "AmazonSSM.GetParametersByPath": _PAGE,
    "AmazonSSM.GetParameter": {"Parameter": _PAGE["Parameters"][0]},
    "TrentService.GetPublicKey": {
        "PublicKey": base64.b64encode(
            base64.urlsafe_b64decode(_der + "=" * (-len(_der) % 4))
        ).decode(),
    },
    "TrentService.Sign": {"Signature": base64.b64encode(bytes(256)).decode()},
    "TrentService.Verify": {"SignatureValid": True},
}


_GET_PARAMETERS = "AmazonSSM.GetParameters"


def _named(names: list[str]) -> dict[str, Any]:
    known = material["parameters"]
    return {
        "Parameters": [known[name] for name in names if name in known],
        "InvalidParameters": [name for name in names if name not in known],
    }


class Handler(BaseHTTPRequestHandler):
    """Answers AWS JSON 1.1 by its `X-Amz-Target`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """One call."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        target = self.headers["X-Amz-Target"]
        answer = _named(asked["Names"]) if target == _GET_PARAMETERS else ANSWERS[target]
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
