"""What the unit tests share: the periods of two deployments, RSA keys, a fake AWS and its stacks."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from keyturn.aws.powertools import logger
from keyturn.aws.settings import Settings
from keyturn.aws.stack import Stack
from keyturn.keyset.model import Key, Keyset, Origin
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits, Times
from keyturn.rotation.publish_jwks import project
from tests.cloud.account import Account
from tests.cloud.material import key_material
from tests.periods import DEFAULTS
from tests.unit.stage import START, FakeClock, Wire, declare


@pytest.fixture(scope="session")
def times() -> Times:
    """The default settings."""
    return DEFAULTS


@pytest.fixture(scope="session")
def demo_times() -> Times:
    """The settings of the demo, with nothing to spare."""
    return Times(
        view_ttl=1,
        propagation=4,
        token_lifetime=15,
        leeway=2,
        clock_skew=1,
        issuer_timeout=5,
        write_delay=5,
        result_ttl=0,
        rotation_period=40,
        stale_limit=10,
        jwks_max_age=1,
        cdn_ttl=0,
    )


@pytest.fixture(scope="session")
def limits() -> Limits:
    """The fixed limits as deployed."""
    return Limits()


@pytest.fixture(scope="session")
def rsa_keys() -> list[rsa.RSAPrivateKey]:
    """The first keys that KMS creates."""
    return list(islice(key_material(), 8))


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    """The key that signs."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_rsa_key() -> rsa.RSAPrivateKey:
    """A key of the right size that nobody trusts."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def large_rsa_key() -> rsa.RSAPrivateKey:
    """A key of the wrong size."""
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


# ---- AWS as the adapters and handlers meet it.

BUCKET = "keyturn-demo"
REGION = "us-east-1"
ROLE_PREFIX = "arn:aws:iam::123456789012:role/keyturn/us-east-1/demo/"


@pytest.fixture(scope="session")
def region() -> Iterator[str]:
    """Credentials and a Region that reach nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        yield REGION


@pytest.fixture
def clock() -> FakeClock:
    """The tests' clock, and AWS's."""
    return FakeClock()


@pytest.fixture
def aws(clock) -> Wire:
    """The wire to AWS."""
    return Wire(clock)


@pytest.fixture
def cloud(aws) -> Account:
    """An empty AWS account with the stack's bucket; what a test does to it passes no wire."""
    account = Account(aws, START, key_material())
    account.kms.page = 1  # every listing of keys has several pages
    return account


@pytest.fixture
def clients(cloud) -> SimpleNamespace:
    """The clients of every container."""
    return cloud.clients()


@pytest.fixture(scope="session")
def site():
    """A web server on this machine; `site.read(path)` says what it shows, `puts` what it got."""
    site = SimpleNamespace(read=lambda _path: None, puts=[])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = site.read(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def do_PUT(self):
            site.puts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        is_local = "keyturn.aws.response_url._is_local"
        with patch(is_local, lambda netloc: netloc.startswith("127.0.0.1:")):
            yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def published(cloud, site, monkeypatch):
    """The bucket's `.well-known/*` on the web, as CloudFront shows it."""

    def read(path: str) -> bytes | None:
        name = path.lstrip("/")
        return cloud.s3.body(name) if name in cloud.s3.objects else None

    monkeypatch.setattr(site, "read", read)
    return site


@pytest.fixture
def settings(site, demo_times) -> Settings:
    """The demo's settings; the issuer is the web server of this machine."""
    return Settings(
        stack="demo",
        bucket=BUCKET,
        issuer=site.url,
        token_url="https://api.example/v1/token",
        audience="orders",
        deletion_window=7,
        times=demo_times,
        role_prefix=ROLE_PREFIX,
    )


@pytest.fixture
def container(published, settings, clients, clock, monkeypatch):
    """Start a Lambda container: a Stack with nothing cached, which the handlers then run in."""

    def container(**changes) -> Stack:
        stack = Stack(replace(settings, **changes), clock=clock, clients=clients)
        monkeypatch.setattr(Stack, "from_environment", lambda: stack)
        return stack

    return container


@pytest.fixture
def stack(container) -> Stack:
    """The container that the handlers run in."""
    return container()


@pytest.fixture
def origin() -> Origin:
    """The origin of the tests' own changes."""
    return Origin("op-1", "tests", "trying")


@pytest.fixture
def founded(stack, origin, aws, cloud) -> Stack:
    """A stack with an empty keyset, generation 1, and three clients; the wire is clear."""
    stack.keysets.create(1, origin)
    for name in ("operator", "shop", "batch-1"):
        scopes, claims = ["orders:read", "orders:write"], ["tenant", "level", "roles", "a", "x"]
        declare(cloud, name, scopes=scopes, subjects="any", claims=claims)
    aws.reset()
    return stack


@pytest.fixture
def booted(founded, origin, aws) -> Stack:
    """A stack with an active and a published standby key, generation 2; the wire is clear."""

    def fill(_keyset, now):
        arns = [founded.kms.create().arn for _ in range(2)]
        active, standby = (
            Key(founded.kms.public_jwk(arn).kid, arn, State.STANDBY, 15, now, now) for arn in arns
        )
        return Keyset((replace(active, state=State.ACTIVE, activated=now), standby))

    founded.keysets.update(fill, origin)
    project(founded, origin)
    aws.reset()
    return founded


@pytest.fixture
def printed(capsys):
    """All that this process writes: logs, metrics, traces and prints."""
    out = io.StringIO()

    def printed() -> str:
        out.write("".join(capsys.readouterr()))
        return out.getvalue()

    handler: Any = logger.registered_handler
    before = handler.setStream(out)
    yield printed
    handler.setStream(before)
