"""SSM and KMS as far as a cold start asks for them, on this machine: the answers take no time."""

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

material = json.loads(Path(sys.argv[1]).read_text())
_DER = base64.urlsafe_b64decode(material["der"] + "=" * (-len(material["der"]) % 4))
ANSWERS: dict[str, Any] = {
    "AmazonSSM.GetParametersByPath": material["page"],
    "TrentService.GetPublicKey": {"PublicKey": base64.b64encode(_DER).decode()},
    "TrentService.Sign": {"Signature": base64.b64encode(bytes(256)).decode()},
    "TrentService.Verify": {"SignatureValid": True},
}


def get_parameters(names: list[str]) -> dict[str, Any]:
    """The stored parameters among these names."""
    stored = material["parameters"]
    return {
        "Parameters": [stored[name] for name in names if name in stored],
        "InvalidParameters": [name for name in names if name not in stored],
    }


class Handler(BaseHTTPRequestHandler):
    """Answers AWS JSON 1.1 by its `X-Amz-Target`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one call."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        target = self.headers["X-Amz-Target"]
        is_by_name = target == "AmazonSSM.GetParameters"
        answer = get_parameters(request["Names"]) if is_by_name else ANSWERS[target]
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
