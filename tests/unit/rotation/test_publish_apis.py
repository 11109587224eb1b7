"""The metadata of the APIs that teams declare_api: what stands in the bucket once an event has come."""

import json

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.rotation import publish_apis
from tests.unit.stage import invoke

FOLDER = ".well-known/oauth-protected-resource/"
ORDERS = {"audience": "https://orders.example", "routes": {"GET /orders": "orders:read"}}


def declare_api(cloud, api_id, document):
    """A team declares an API."""
    text = document if isinstance(document, str) else json.dumps(document)
    name = f"/keyturn/demo/apis/{api_id}"
    cloud.ssm.put(name, text, overwrite=True)


def withdraw(cloud, api_id):
    """A team's API goes, and its document with it."""
    return cloud.ssm.delete([f"/keyturn/demo/apis/{api_id}"])


def shown(cloud):
    """Every document in the folder, by the rest of its name."""
    names = [name for name in cloud.s3.objects if name.startswith(FOLDER)]
    return {name.removeprefix(FOLDER): json.loads(cloud.s3.body(name)) for name in names}


def test_an_api_is_published(cloud, stack, site):
    """RFC 9728 section 2: who issues its tokens, which scopes it knows, how it takes them."""
    declare_api(cloud, "a1", ORDERS)
    assert invoke(publish_apis, {"detail-type": "Parameter Store Change"})["put"] == [
        FOLDER + "orders.example"
    ]
    assert shown(cloud) == {
        "orders.example": {
            "resource": "https://orders.example",
            "authorization_servers": [site.url],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["orders:read"],
        }
    }
    told = cloud.s3.objects[FOLDER + "orders.example"][-1]
    assert (told.content_type, told.cache_control) == ("application/json", "public, max-age=1")


def test_apis_with_one_audience_are_one_resource(cloud, stack):
    """A path keeps its place; a member without elements is left out (section 3.2)."""
    declare_api(cloud, "a1", ORDERS)
    declare_api(cloud, "b2", {**ORDERS, "routes": {"POST /orders": "orders:write orders:read"}})
    declare_api(cloud, "c3", {"audience": "https://example.com/bills/"})
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    assert shown(cloud)["orders.example"]["scopes_supported"] == ["orders:read", "orders:write"]
    assert shown(cloud)["example.com/bills/"]["resource"] == "https://example.com/bills/"
    assert "scopes_supported" not in shown(cloud)["example.com/bills/"]


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
    """Nobody could find it, and it must not become the name of another object."""
    declare_api(cloud, "a1", {"audience": audience})
    assert invoke(publish_apis, {"detail-type": "Parameter Store Change"})["put"] == []
    assert shown(cloud) == {}


def test_a_changed_document_is_published_again_and_nothing_else(cloud, stack):
    """Created, changed, repeated, moved to another audience."""
    declare_api(cloud, "a1", ORDERS)
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    declare_api(cloud, "a1", {**ORDERS, "routes": {"GET /orders": "orders:list"}})
    assert invoke(publish_apis, {"detail-type": "Parameter Store Change"})["put"] == [
        FOLDER + "orders.example"
    ]
    assert shown(cloud)["orders.example"]["scopes_supported"] == ["orders:list"]
    assert invoke(publish_apis, {"detail-type": "Parameter Store Change"}) == {
        "outcome": "published",
        "put": [],
        "removed": [],
    }
    declare_api(cloud, "a1", {"audience": "https://new.example"})
    assert invoke(publish_apis, {"detail-type": "Parameter Store Change"})["removed"] == [
        FOLDER + "orders.example"
    ]
    assert set(shown(cloud)) == {"new.example"}


def test_what_was_changed_by_hand_is_put_right(cloud, stack):
    """A document that names another issuer leads clients there."""
    declare_api(cloud, "a1", ORDERS)
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    true = shown(cloud)
    for name in ("orders.example", "bank.example"):
        cloud.s3.write(FOLDER + name, b'{"resource": "x"}')
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    assert shown(cloud) == true


def test_an_api_that_goes_takes_its_metadata_along(cloud, stack, booted):
    """And nothing else in the bucket: the JWKS and the issuer's metadata stay."""
    declare_api(cloud, "a1", ORDERS)
    declare_api(cloud, "b2", ORDERS)
    before = set(cloud.snapshot()["objects"])
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    withdraw(cloud, "a1")
    assert invoke(publish_apis, {"detail-type": "Parameter Store Change"})["removed"] == []
    withdraw(cloud, "b2")
    assert invoke(publish_apis, {"detail-type": "Parameter Store Change"})["removed"] == [
        FOLDER + "orders.example"
    ]
    assert set(cloud.snapshot()["objects"]) == before


def test_a_document_that_does_not_parse_removes_nothing(cloud, stack, printed):
    """Its parameter is named, not its content; other APIs are published."""
    declare_api(cloud, "a1", ORDERS)
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    declare_api(cloud, "a1", '{"audience": "https://garbled.example"')
    declare_api(cloud, "b2", {"audience": "https://bills.example"})
    outcome = invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    assert (outcome["put"], outcome["removed"]) == ([FOLDER + "bills.example"], [])
    assert set(shown(cloud)) == {"orders.example", "bills.example"}
    assert "/keyturn/demo/apis/a1" in printed()
    assert "garbled" not in printed()


def test_what_cannot_be_read_is_a_fault(cloud, stack, aws):
    """SSM without an answer is not SSM without documents: nothing is removed."""
    declare_api(cloud, "a1", ORDERS)
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    aws.fail("ssm:GetParametersByPath", aws.error("AccessDeniedException"), times=9)
    with pytest.raises(AwsFault):
        invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    assert set(shown(cloud)) == {"orders.example"}


def test_two_at_once_do_not_disturb_each_other(cloud, stack, aws):
    """Whoever comes second leaves that document to the first, and goes on with the others."""
    declare_api(cloud, "a1", ORDERS)
    declare_api(cloud, "b2", {"audience": "https://bills.example"})
    aws.fail("s3:PutObject", aws.error("PreconditionFailed", 412))
    assert len(invoke(publish_apis, {"detail-type": "Parameter Store Change"})["put"]) == 1
    assert len(shown(cloud)) == 1
    invoke(publish_apis, {"detail-type": "Parameter Store Change"})
    assert set(shown(cloud)) == {"orders.example", "bills.example"}
