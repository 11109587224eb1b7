"""The issuers' documents on the web: HTTPS on loopback, by a certificate authority made here."""

import itertools
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.periods import DEFAULTS
from tests.verifiers.issuer import Bucket, Issuer

BACKEND = "/backend"  # what an API behind API Gateway's authorizer leads to
_KEYS = 4


class Site:
    """`authority` is the file with the CA's certificate, for the clients that must trust this site."""

    def __init__(self, origin: str, authority: Path) -> None:
        self.origin, self.authority = origin, authority
        self._buckets: dict[str, Bucket] = {}
        self._numbers = itertools.count(1)
        self._keys: Sequence[rsa.RSAPrivateKey] = [new_key() for _ in range(_KEYS)]

    def issuer(self, lifetime: int = DEFAULTS.token_lifetime) -> Issuer:
        """A new issuer at a path of its own; all have the same RSA keys, to save time."""
        path, bucket = f"/{next(self._numbers)}", Bucket()
        self._buckets[path] = bucket
        return Issuer(self.origin + path, bucket, iter(self._keys), lifetime)

    def find(self, path: str) -> tuple[bytes, dict[str, str]] | None:
        """The object at `path` as CloudFront shows it: body, and the headers from S3."""
        start, slash, name = path.partition("/.well-known/")
        if not start and "/" in name:  # before the issuer's path, as RFC 8414 section 3.1 has it
            name, _, number = name.rpartition("/")
            start = f"/{number}"
        bucket = self._buckets.get(start, Bucket())
        if not (stored := bucket.objects.get((slash + name).lstrip("/"))):
            return None
        return stored["Body"], {
            "Content-Type": stored["ContentType"],
            "Cache-Control": stored["CacheControl"],
        }


def new_key() -> rsa.RSAPrivateKey:
    """An RSA_2048 key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class _Server(ThreadingHTTPServer):
    site: Site


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path.startswith(BACKEND):
            self._answer(200, b"", {})
        elif document := self.server.site.find(self.path):
            self._answer(200, *document)
        else:
            self._answer(404, b"", {})

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """A site on a free port of this machine."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.site = Site(f"https://localhost:{server.server_port}", folder / "authority.pem")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()
