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


def _parameters(Names: list[str]) -> dict[str, Any]:  # noqa: N803 - AWS's name
    """The keyset's parameter; no API has a document."""
    found = [parameter for parameter in _PAGE["Parameters"] if parameter["Name"] in Names]
    return {"Parameters": found, "InvalidParameters": sorted({*Names} - {p["Name"] for p in found})}


class Handler(BaseHTTPRequestHandler):
    """Answers AWS JSON 1.1 by its `X-Amz-Target`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """One call."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        target = self.headers["X-Amz-Target"]
        body = json.dumps(
            _parameters(**asked) if target.endswith("GetParameters") else ANSWERS[target]
        ).encode()
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
