"""The metadata of the APIs that teams declare_api: what stands in the bucket once an event has come."""

import json

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.rotation import publish_apis
from tests.unit.stage import invoke

FOLDER = ".well-known/oauth-protected-resource/"
ORDERS = {"audience": "https://orders.example", "routes": {"GET /orders": "orders:read"}}


@pytest.fixture
def declare_api(cloud):
    """A team declares an API."""

    def declare_api(api_id, document):
        text = document if isinstance(document, str) else json.dumps(document)
        name = f"/keyturn/demo/apis/{api_id}"
        cloud.ssm.put(name, text, overwrite=True)

    return declare_api


@pytest.fixture
def withdraw(cloud):
    """A team's API goes, and its document with it."""
    return lambda api_id: cloud.ssm.delete([f"/keyturn/demo/apis/{api_id}"])


@pytest.fixture
def publish(stack):
    """SSM's own event has come."""
    return lambda: invoke(publish_apis, {"detail-type": "Parameter Store Change"})


@pytest.fixture
def shown(cloud):
    """Every document in the folder, by the rest of its name."""

    def shown():
        names = [name for name in cloud.s3.objects if name.startswith(FOLDER)]
        return {name.removeprefix(FOLDER): json.loads(cloud.s3.body(name)) for name in names}

    return shown


def test_an_api_is_published(declare_api, publish, shown, site, cloud):
    """RFC 9728 section 2: who issues its tokens, which scopes it knows, how it takes them."""
    declare_api("a1", ORDERS)
    assert publish()["put"] == [FOLDER + "orders.example"]
    assert shown() == {
        "orders.example": {
            "resource": "https://orders.example",
            "authorization_servers": [site.url],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["orders:read"],
        }
    }
    told = cloud.s3.objects[FOLDER + "orders.example"][-1]
    assert (told.content_type, told.cache_control) == ("application/json", "public, max-age=1")


def test_apis_with_one_audience_are_one_resource(declare_api, publish, shown):
    """A path keeps its place; a member without elements is left out (section 3.2)."""
    declare_api("a1", ORDERS)
    declare_api("b2", {**ORDERS, "routes": {"POST /orders": "orders:write orders:read"}})
    declare_api("c3", {"audience": "https://example.com/bills/"})
    publish()
    assert shown()["orders.example"]["scopes_supported"] == ["orders:read", "orders:write"]
    assert shown()["example.com/bills/"]["resource"] == "https://example.com/bills/"
    assert "scopes_supported" not in shown()["example.com/bills/"]


@pytest.mark.parametrize(
    "audience",
    [
        "orders",
        "http://orders.example",
        "https://orders.example/../jwks.json",
        "https://orders.example//x",
        "https://orders.example/%2e%2e/x",
        "https://orders.example?x=1",
        "https://orders.example#x",
        "https://ORDERS.example",
        "https://user@orders.example",
        "https://",
    ],
)
def test_an_audience_that_is_no_plain_https_url_has_no_metadata(
    declare_api, publish, shown, audience
):
    """Nobody could find it, and it must not become the name of another object."""
    declare_api("a1", {"audience": audience})
    assert publish()["put"] == []
    assert shown() == {}


def test_a_changed_document_is_published_again_and_nothing_else(declare_api, publish, shown):
    """Created, changed, repeated, moved to another audience."""
    declare_api("a1", ORDERS)
    publish()
    declare_api("a1", {**ORDERS, "routes": {"GET /orders": "orders:list"}})
    assert publish()["put"] == [FOLDER + "orders.example"]
    assert shown()["orders.example"]["scopes_supported"] == ["orders:list"]
    assert publish() == {"outcome": "published", "put": [], "removed": []}
    declare_api("a1", {"audience": "https://new.example"})
    assert publish()["removed"] == [FOLDER + "orders.example"]
    assert set(shown()) == {"new.example"}


def test_what_was_changed_by_hand_is_put_right(declare_api, publish, shown, cloud):
    """A document that names another issuer leads clients there."""
    declare_api("a1", ORDERS)
    publish()
    true = shown()
    for name in ("orders.example", "bank.example"):
        cloud.s3.write(FOLDER + name, b'{"resource": "x"}')
    publish()
    assert shown() == true


def test_an_api_that_goes_takes_its_metadata_along(
    declare_api, withdraw, publish, shown, booted, cloud
):
    """And nothing else in the bucket: the JWKS and the issuer's metadata stay."""
    declare_api("a1", ORDERS)
    declare_api("b2", ORDERS)
    before = set(cloud.snapshot()["objects"])
    publish()
    withdraw("a1")
    assert publish()["removed"] == []
    withdraw("b2")
    assert publish()["removed"] == [FOLDER + "orders.example"]
    assert set(cloud.snapshot()["objects"]) == before


def test_a_document_that_does_not_parse_removes_nothing(declare_api, publish, shown, printed):
    """Its parameter is named, not its content; other APIs are published."""
    declare_api("a1", ORDERS)
    publish()
    declare_api("a1", '{"audience": "https://garbled.example"')
    declare_api("b2", {"audience": "https://bills.example"})
    outcome = publish()
    assert (outcome["put"], outcome["removed"]) == ([FOLDER + "bills.example"], [])
    assert set(shown()) == {"orders.example", "bills.example"}
    assert "/keyturn/demo/apis/a1" in printed()
    assert "garbled" not in printed()


def test_what_cannot_be_read_is_a_fault(declare_api, publish, shown, aws):
    """SSM without an answer is not SSM without documents: nothing is removed."""
    declare_api("a1", ORDERS)
    publish()
    aws.fail("ssm:GetParametersByPath", aws.error("AccessDeniedException"), times=9)
    with pytest.raises(AwsFault):
        publish()
    assert set(shown()) == {"orders.example"}


def test_two_at_once_do_not_disturb_each_other(declare_api, publish, shown, aws):
    """Whoever comes second leaves that document to the first, and goes on with the others."""
    declare_api("a1", ORDERS)
    declare_api("b2", {"audience": "https://bills.example"})
    aws.fail("s3:PutObject", aws.error("PreconditionFailed", 412))
    assert len(publish()["put"]) == 1
    assert len(shown()) == 1
    publish()
    assert set(shown()) == {"orders.example", "bills.example"}
