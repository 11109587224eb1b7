"""PublishApis: the metadata of the APIs that teams declare, in the bucket after each event."""

import json

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.rotation import publish_apis
from tests.unit.stage import invoke

FOLDER = ".well-known/oauth-protected-resource/"
ORDERS = {"audience": "https://orders.example", "routes": {"GET /orders": "orders:read"}}


def declare_api(cloud, api_id, document):
    """Declare an API, as a team's own template does."""
    cloud.ssm.put(f"/keyturn/demo/apis/{api_id}", json.dumps(document), overwrite=True)


def publish():
    """Run the function, as SSM's own event does."""
    return invoke(publish_apis, {"detail-type": "Parameter Store Change"})


def documents(cloud):
    """Every document in the folder, by the rest of its name."""
    names = [name for name in cloud.s3.objects if name.startswith(FOLDER)]
    return {name.removeprefix(FOLDER): json.loads(cloud.s3.body(name)) for name in names}


@pytest.fixture
def orders_api(cloud, stack):
    """A stack in which the API `a1` is declared and published."""
    declare_api(cloud, "a1", ORDERS)
    publish()
    return stack


def test_an_api_is_published(cloud, stack, site):
    """RFC 9728 section 2: who issues its tokens, which scopes it knows, how it takes them."""
    declare_api(cloud, "a1", ORDERS)
    assert publish()["put"] == [FOLDER + "orders.example"]
    assert documents(cloud) == {
        "orders.example": {
            "resource": "https://orders.example",
            "authorization_servers": [site.url],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["orders:read"],
        }
    }
    version = cloud.s3.objects[FOLDER + "orders.example"][-1]
    assert (version.content_type, version.cache_control) == (
        "application/json",
        "public, max-age=1",
    )


def test_apis_with_one_audience_are_one_resource(cloud, stack):
    """A path keeps its place; a member without elements is left out (section 3.2)."""
    declare_api(cloud, "a1", ORDERS)
    declare_api(cloud, "b2", {**ORDERS, "routes": {"POST /orders": "orders:write orders:read"}})
    declare_api(cloud, "c3", {"audience": "https://example.com/bills/"})
    publish()
    assert documents(cloud)["orders.example"]["scopes_supported"] == ["orders:read", "orders:write"]
    assert documents(cloud)["example.com/bills/"]["resource"] == "https://example.com/bills/"
    assert "scopes_supported" not in documents(cloud)["example.com/bills/"]


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
def test_an_audience_that_is_no_plain_https_url_has_no_metadata(cloud, stack, audience):
    """Clients could not find it, and it must not become the name of another object."""
    declare_api(cloud, "a1", {"audience": audience})
    assert publish()["put"] == []
    assert documents(cloud) == {}


def test_a_changed_document_is_published_again_and_nothing_else(cloud, orders_api):
    """Changed, repeated, moved to another audience."""
    declare_api(cloud, "a1", {**ORDERS, "routes": {"GET /orders": "orders:list"}})
    assert publish()["put"] == [FOLDER + "orders.example"]
    assert documents(cloud)["orders.example"]["scopes_supported"] == ["orders:list"]
    assert publish() == {"outcome": "published", "put": [], "removed": []}
    declare_api(cloud, "a1", {"audience": "https://new.example"})
    assert publish()["removed"] == [FOLDER + "orders.example"]
    assert set(documents(cloud)) == {"new.example"}


def test_a_forged_document_is_replaced_or_removed(cloud, orders_api):
    """A document that names another issuer would lead clients there."""
    before = documents(cloud)
    for name in ("orders.example", "bank.example"):
        cloud.s3.write(FOLDER + name, b'{"resource": "x"}')
    publish()
    assert documents(cloud) == before


def test_the_last_api_of_an_audience_takes_its_metadata_along(cloud, booted):
    """The JWKS and the issuer's metadata stay."""
    declare_api(cloud, "a1", ORDERS)
    declare_api(cloud, "b2", ORDERS)
    before = set(cloud.snapshot()["objects"])
    publish()
    cloud.ssm.delete(["/keyturn/demo/apis/a1"])
    assert publish()["removed"] == []
    cloud.ssm.delete(["/keyturn/demo/apis/b2"])
    assert publish()["removed"] == [FOLDER + "orders.example"]
    assert set(cloud.snapshot()["objects"]) == before


def test_a_document_that_does_not_parse_removes_nothing(cloud, orders_api, printed):
    """The log names its parameter, not its content; other APIs are published."""
    text = '{"audience": "https://garbled.example"'
    cloud.ssm.put("/keyturn/demo/apis/a1", text, overwrite=True)
    declare_api(cloud, "b2", {"audience": "https://bills.example"})
    outcome = publish()
    assert (outcome["put"], outcome["removed"]) == ([FOLDER + "bills.example"], [])
    assert set(documents(cloud)) == {"orders.example", "bills.example"}
    assert "/keyturn/demo/apis/a1" in printed()
    assert "garbled" not in printed()


def test_unreadable_documents_are_a_fault(cloud, orders_api, aws):
    """If SSM does not answer, nothing is removed."""
    aws.fail("ssm:GetParametersByPath", aws.error("AccessDeniedException"), times=9)
    with pytest.raises(AwsFault):
        publish()
    assert set(documents(cloud)) == {"orders.example"}


def test_a_document_that_another_run_has_just_written_is_skipped(cloud, stack, aws):
    """The run goes on with the other documents."""
    declare_api(cloud, "a1", ORDERS)
    declare_api(cloud, "b2", {"audience": "https://bills.example"})
    aws.fail("s3:PutObject", aws.error("PreconditionFailed", 412))
    assert len(publish()["put"]) == 1
    assert len(documents(cloud)) == 1
    publish()
    assert set(documents(cloud)) == {"orders.example", "bills.example"}
