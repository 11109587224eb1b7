"""What the unit tests share: the periods of two deployments, RSA keys, tokens nobody should make."""

import base64
import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from moto import backend_index, mock_aws
from moto.kms.models import KmsBackend

from keyturn.aws.clients import Clients
from keyturn.aws.keyset_store import KeysetStore
from keyturn.aws.powertools import logger
from keyturn.aws.settings import Settings
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.model import Generation, Key, Keyset, Origin
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits, Times
from keyturn.rotation.publish_jwks import project
from tests.periods import DEFAULTS


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


@pytest.fixture(scope="session")
def forge(rsa_key):
    """Sign any header and payload: members as a dict, JSON as bytes, a segment as text."""

    def segment(part: dict | bytes | str) -> str:
        if isinstance(part, str):
            return part
        raw = json.dumps(part).encode() if isinstance(part, dict) else part
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def forge(header: dict | bytes | str, payload: dict | bytes | str, key=rsa_key) -> str:
        signed = f"{segment(header)}.{segment(payload)}"
        return f"{signed}.{segment(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"

    return forge


# ---- AWS as the adapters and handlers meet it: moto, and what moto lacks.

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BUCKET = "keyturn-demo"
REGION = "us-east-1"
ROLE_PREFIX = "arn:aws:iam::123456789012:role/keyturn/us-east-1/demo/"
SERVICES = [  # of moto's two hundred: each call tries them all
    (name, pattern)
    for name, pattern in backend_index.backend_url_patterns
    if name in ("apigateway", "apigatewayv2", "kms", "s3", "scheduler", "ssm", "stepfunctions")
]


class FakeClock:
    """A Clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.wall, self.ticks, self.fixed_fraction = START, 1000.0, 0.5
        self.slept: list[float] = []
        self._ids = 0

    def now(self) -> datetime:
        """The wall clock."""
        return self.wall

    def monotonic(self) -> float:
        """The monotonic clock."""
        return self.ticks

    def sleep(self, seconds: float) -> None:
        """Return at once, later."""
        self.slept.append(seconds)
        self.advance(seconds)

    def fraction(self) -> float:
        """Always the same."""
        return self.fixed_fraction

    def new_id(self) -> str:
        """Ids that count: id-1, id-2."""
        self._ids += 1
        return f"id-{self._ids}"

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds


@dataclass
class Intrusion:
    """What happens at attempts `nth` to `nth + times - 1` of an operation (`kms:Sign`, `ssm:*`)."""

    operation: str
    effect: Exception | Callable[[], object]
    after: bool
    nth: int
    times: float
    seen: int = 0

    def meet(self, operation: str, after: bool) -> None:
        """Count the attempt, and act if it is its turn."""
        if self.after is not after or not fnmatch(operation, self.operation):
            return
        self.seen += 1
        if not self.nth <= self.seen < self.nth + self.times:
            return
        if isinstance(self.effect, Exception):
            raise self.effect
        self.effect()

    def end(self) -> None:
        """No more of it."""
        self.times = 0


class Wire:
    """Every AWS call, every attempt at one, and what a test does to them."""

    timeout = ReadTimeoutError(endpoint_url="https://aws.example")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.calls: list[tuple[str, dict]] = []
        self.attempts: list[str] = []
        self._intrusions: list[Intrusion] = []

    @property
    def operations(self) -> list[str]:
        """The calls made, as `service:Operation`."""
        return [operation for operation, _ in self.calls]

    def params(self, operation: str) -> list[dict]:
        """What the calls of one operation were given."""
        return [params for name, params in self.calls if name == operation]

    def fail(self, operation, error, *, after=False, nth=1, times=1.0) -> Intrusion:
        """Let attempts fail, before or after they had their effect."""
        return self._add(operation, error, after, nth, times)

    def meanwhile(self, operation, action, *, after=False, nth=1, times=1.0) -> Intrusion:
        """Let something else happen just before or after an attempt."""
        return self._add(operation, action, after, nth, times)

    @staticmethod
    def error(code: str, status: int = 400) -> ClientError:
        """An answer of AWS with this error code."""
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return ClientError(answer, "Operation")

    def watch(self, client) -> None:
        """Take part in everything this client does."""
        events = client.meta.events
        events.register("before-parameter-build", self._called)
        events.register_first("before-send", self._before)
        events.register_last("before-send", self._after)

    def note(self, operation: str, params: dict | None = None) -> None:
        """A call, also one that never reaches botocore."""
        self.calls.append((operation, params or {}))

    def meet(self, operation: str, *, after: bool) -> None:
        """Let the intrusions of a test act."""
        for intrusion in list(self._intrusions):
            intrusion.meet(operation, after)

    def _add(self, *fields) -> Intrusion:
        self._intrusions.append(Intrusion(*fields))
        return self._intrusions[-1]

    def _called(self, event_name, params, **_) -> None:
        self.note(_operation(event_name), dict(params))

    def _before(self, event_name, **_) -> None:
        self.attempts.append(_operation(event_name))
        self.meet(_operation(event_name), after=False)

    def _after(self, event_name, **_) -> None:
        self.meet(_operation(event_name), after=True)


def _operation(event_name: str) -> str:
    return ":".join(event_name.split(".")[1:3])


class Tagging:
    """The tagging API over moto's KMS, which its own does not know; one key a page."""

    def __init__(self, kms, wire: Wire) -> None:
        self._kms, self._wire = kms, wire

    def get_paginator(self, name: str) -> "Tagging":
        """The only paginator asked for."""
        assert name == "get_resources"
        return self

    def paginate(self, ResourceTypeFilters, TagFilters):  # noqa: N803 - boto3's names
        """Pages of the keys with this tag."""
        assert ResourceTypeFilters == ["kms:key"]
        self._wire.note("tag:GetResources")
        self._wire.meet("tag:GetResources", after=False)
        [wanted] = TagFilters
        for key in self._kms.list_keys()["Keys"]:
            listed = self._kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
            tags = [{"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in listed]
            if any(t["Key"] == wanted["Key"] and t["Value"] in wanted["Values"] for t in tags):
                yield {"ResourceTagMappingList": [{"ResourceARN": key["KeyArn"], "Tags": tags}]}


class Events:
    """The event bus, of which nobody can ask what it was told."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def put_events(self, Entries):  # noqa: N803 - boto3's names
        """Take them all."""
        assert 0 < len(Entries) <= 10
        self._wire.meet("events:PutEvents", after=False)
        self._wire.note("events:PutEvents", {"Entries": Entries})
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "event-1"} for _ in Entries]}


def _by_arn(method):
    def by_arn(self, key_id, *args, **kwargs):
        return method(self, self.any_id_to_key_id(key_id), *args, **kwargs)

    return by_arn


@pytest.fixture(scope="session")
def region():
    """Credentials and a Region that reach nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_PROFILE", raising=False)
        yield REGION


@pytest.fixture(scope="session")
def backdoor(region):
    """Clients that nobody watches, to look at AWS from outside."""
    services = ("apigateway", "apigatewayv2", "kms", "s3", "ssm", "scheduler", "stepfunctions")
    return SimpleNamespace(**{name: boto3.client(name) for name in services})


@pytest.fixture(scope="session")
def watched_clients(backdoor, demo_times):
    """The product's own clients, made once, and the wire they are on."""
    clients, wire = Clients(demo_times.write_delay), Wire()
    for name in ("ssm", "ssm_timed", "kms", "kms_once", "s3", "states", "scheduler"):
        wire.watch(getattr(clients, name))
    clients.tagging = Tagging(backdoor.kms, wire)
    clients.events = Events(wire)
    return clients, wire


@pytest.fixture(scope="session")
def rsa_keys():
    """RSA keys, made once for all of moto's KMS."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(8)]


@pytest.fixture
def clock() -> FakeClock:
    """The tests' clock; moto's KMS keys are born by it, too."""
    return FakeClock()


@pytest.fixture
def aws(watched_clients, backdoor, rsa_keys, clock, monkeypatch):
    """An empty AWS account with the stack's bucket; the wire to it."""
    _, wire = watched_clients
    made = iter(rsa_keys)

    def generate(public_exponent, key_size):
        ready = next(made, None) if key_size == 2048 else None
        return ready or rsa.generate_private_key(public_exponent, key_size)

    monkeypatch.setattr("moto.kms.utils.rsa", SimpleNamespace(generate_private_key=generate))
    monkeypatch.setattr(backend_index, "backend_url_patterns", SERVICES)
    for name in ("disable_key", "schedule_key_deletion"):  # AWS takes ARNs here, moto does not
        monkeypatch.setattr(KmsBackend, name, _by_arn(getattr(KmsBackend, name)))
    monkeypatch.setattr(
        "moto.kms.models.unix_time", lambda at=None: (at or clock.now()).timestamp()
    )
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    with mock_aws():
        backdoor.s3.create_bucket(Bucket=BUCKET)
        wire.reset()
        yield wire


@pytest.fixture
def world(aws, backdoor):
    """Everything that lasts, as it is now: two equal snapshots mean that nothing changed."""

    def world() -> dict:
        pages = backdoor.ssm.get_paginator("get_parameters_by_path")
        keys = [key["KeyId"] for key in backdoor.kms.list_keys()["Keys"]]
        names = [o["Key"] for o in backdoor.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        objects = {name: backdoor.s3.get_object(Bucket=BUCKET, Key=name) for name in names}
        return {
            "parameters": {
                p["Name"]: (p["Value"], p["Version"])
                for page in pages.paginate(Path="/keyturn", Recursive=True)
                for p in page["Parameters"]
            },
            "keys": {
                key: backdoor.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys
            },
            "objects": {
                name: (found["Body"].read(), found["Metadata"], found["LastModified"])
                for name, found in objects.items()
            },
        }

    return world


@pytest.fixture
def settle(backdoor):
    """Have any keyset count in a stack, whatever stood there: no writer would get there from it."""

    def settle(stack: Stack, keyset: Keyset) -> Generation:
        latest = stack.keysets.read()
        stack.keysets.remove(one.name for one in stack.keysets.list_parameters())
        root = replace(latest, number=latest.number + 1, parent="", keyset=keyset)
        backdoor.ssm.put_parameter(
            Name=f"/keyturn/demo/keyset/{root.number:012d}",
            Value=document.dumps(root),
            Type="String",
        )
        return stack.keysets.read()

    return settle


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
def published(aws, backdoor, site, monkeypatch):
    """The bucket's `.well-known/*` on the web, as CloudFront shows it."""

    def read(path: str) -> bytes | None:
        try:
            return backdoor.s3.get_object(Bucket=BUCKET, Key=path.lstrip("/"))["Body"].read()
        except ClientError:
            return None

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
def container(aws, published, settings, watched_clients, clock, monkeypatch):
    """Start a Lambda container: a Stack with nothing cached, which the handlers then run in."""

    def container(**changes) -> Stack:
        clients, _ = watched_clients
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
    """Who the tests say they are."""
    return Origin("op-1", "tests", "trying")


@pytest.fixture
def declare(aws, backdoor):
    """Declare a client, as a team's own template does; it takes the audience `orders` by default."""

    def declare(name: str, **members) -> None:
        backdoor.ssm.put_parameter(
            Name=f"/keyturn/demo/clients/{name}",
            Value=json.dumps({"audiences": ["orders"], **members}),
            Type="String",
            Overwrite=True,
        )

    return declare


@pytest.fixture
def founded(stack, origin, aws, declare) -> Stack:
    """A stack with an empty keyset, generation 1, and three clients; the wire is clear."""
    stack.keysets.create(1, origin)
    for name in ("operator", "shop", "batch-1"):
        scopes, claims = ["orders:read", "orders:write"], ["tenant", "level", "roles", "a", "x"]
        declare(name, scopes=scopes, subjects="any", claims=claims)
    aws.reset()
    return stack


@pytest.fixture
def booted(founded, origin, aws) -> Stack:
    """A stack with an active and a published standby key, generation 2; the wire is clear."""

    def fill(_keyset, now):
        made = [founded.kms.create() for _ in range(2)]
        active, standby = (
            Key(founded.kms.public_jwk(key.arn).kid, key.arn, State.STANDBY, 15, now, now)
            for key in made
        )
        return Keyset((replace(active, state=State.ACTIVE, activated=now), standby))

    founded.keysets.update(fill, origin)
    project(founded, origin)
    aws.reset()
    return founded


@pytest.fixture
def truth(backdoor, clock):
    """The keyset as it stands, whatever happens on the wire."""
    store = KeysetStore("demo", clock, backdoor.ssm, backdoor.ssm)
    return lambda: store.read().keyset


@pytest.fixture
def invoke():
    """Call a Lambda handler as Lambda does: JSON in, JSON out, and a context."""
    context = SimpleNamespace(
        function_name="keyturn",
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:{REGION}:123456789012:function:keyturn",
        aws_request_id="request-1",
    )

    def invoke(module, event):
        answer = module.handler(json.loads(json.dumps(event)), context)
        return json.loads(json.dumps(answer))

    return invoke


@pytest.fixture
def printed(capsys):
    """All that this process writes: logs, metrics, traces and prints."""
    out = io.StringIO()

    def printed() -> str:
        out.write("".join(capsys.readouterr()))
        return out.getvalue()

    handler = logger.registered_handler
    before = handler.setStream(out)
    yield printed
    handler.setStream(before)
