"""APIs with documents of their own: what each says decides there, and nowhere else."""

import json

import pytest

from keyturn.api import authorize
from keyturn.aws.faults import NoReply, Throttled, UnreadableDocument
from keyturn.aws.view import ViewTooOld
from tests.unit.api import events
from tests.unit.api.requests import mint, routed
from tests.unit.stage import forge, invoke

KINDS = ["token", "request", "http"]
OTHER = "arn:aws:execute-api:us-east-1:123456789012:billing1/prod"
ROUTES = {"GET /invoices": "invoices:read"}


def declare_api(booted, cloud, document, api_id="billing1") -> None:
    """Write an API's document, as its team does; a text is written as it is."""
    text = document if isinstance(document, str) else json.dumps(document)
    name = f"/keyturn/demo/apis/{api_id}"
    cloud.ssm.put(name, text, overwrite=True)


def remove(cloud, api_id):
    """Delete a document."""
    return cloud.ssm.delete([f"/keyturn/demo/apis/{api_id}"])


def visit(token, route="GET/invoices", api=OTHER, kind="token") -> str:
    """What becomes of a token at a route: open, closed, or 401."""
    event = getattr(events, kind)(f"Bearer {token}", route)
    event["routeArn" if kind == "http" else "methodArn"] = f"{api}/{route}"
    try:
        answer = invoke(authorize, event)
    except Exception as error:
        if str(error) == "Unauthorized":
            return "401"
        raise
    if kind == "http":
        return "open" if answer["isAuthorized"] else "closed"
    [statement] = answer["policyDocument"]["Statement"]
    opened = {f"{api}/{route}", f"{api}/*"} & set(statement["Resource"])
    return "open" if statement["Effect"] == "Allow" and opened else "closed"


def own(booted, token, **how):
    """The same at an API without a document."""
    return visit(token, "GET/orders", f"{OTHER[:-13]}api1/v1", **how)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_s_audience_and_routes_decide(booted, cloud, kind):
    """The audience opens nothing without the scope, the scope nothing without the audience."""
    declare_api(booted, cloud, {"audience": "billing", "routes": ROUTES})
    refused = "closed" if kind == "http" else "401"
    assert visit(mint(booted, cloud, aud="billing", scope="invoices:read"), kind=kind) == "open"
    assert visit(mint(booted, cloud, aud="billing", scope="orders:read"), kind=kind) == "closed"
    assert visit(mint(booted, cloud, aud="orders", scope="invoices:read"), kind=kind) == refused
    assert (
        visit(mint(booted, cloud, aud="billing", scope="invoices:read"), "DELETE/all", kind=kind)
        == "closed"
    )


def test_a_document_without_routes_opens_the_stage_to_its_audience(booted, cloud):
    """As the stack-wide settings do without RouteScopes."""
    declare_api(booted, cloud, {"audience": "billing"})
    assert visit(mint(booted, cloud, aud="billing", scope=...), "DELETE/all") == "open"
    assert visit(mint(booted, cloud), "DELETE/all") == "401"


def test_a_token_for_one_api_opens_no_other(booted, cloud):
    """Neither one with a document nor one without."""
    declare_api(booted, cloud, {"audience": "billing"})
    billing, orders = mint(booted, cloud, aud="billing"), mint(booted, cloud)
    assert (visit(billing), own(booted, billing)) == ("open", "401")
    assert (visit(orders), own(booted, orders)) == ("401", "open")


def test_the_stack_wide_routes_are_not_the_documented_api_s(container, booted, cloud):
    """RouteScopes is for APIs without a document."""
    routed(container, "GET /orders=orders:read")
    declare_api(booted, cloud, {"audience": "billing", "routes": ROUTES})
    assert visit(mint(booted, cloud, aud="billing", scope="orders:read"), "GET/orders") == "closed"
    assert own(booted, mint(booted, cloud)) == "open"


def test_a_change_counts_after_c(booted, cloud, clock):
    """An audience is taken away, a scope is asked for, the document is deleted."""
    declare_api(booted, cloud, {"audience": "billing"})
    token = mint(booted, cloud, aud="billing", scope=...)
    assert visit(token) == "open"
    declare_api(booted, cloud, {"audience": "billing", "routes": ROUTES})
    clock.advance(1.001)
    assert visit(token) == "closed"
    declare_api(booted, cloud, {"audience": "elsewhere"})
    clock.advance(1.001)
    assert visit(token) == "401"


def test_without_its_document_an_api_is_as_the_stack_says(booted, cloud, clock):
    """Its own audience is refused, the stack-wide one opens what RouteScopes says: here all."""
    declare_api(booted, cloud, {"audience": "billing", "routes": ROUTES})
    assert visit(mint(booted, cloud)) == "401"
    remove(cloud, "billing1")
    clock.advance(1.001)
    assert visit(mint(booted, cloud, aud="billing", scope="invoices:read")) == "401"
    assert visit(mint(booted, cloud)) == "open"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"audience": ""}', '{"audience": "a", "route": {}}', "null"]
)
def test_a_document_that_does_not_parse_is_a_fault_of_that_api_alone(booted, cloud, kind, text):
    """A new container lets nobody in there and calls no token bad; the others go on."""
    declare_api(booted, cloud, text)
    with pytest.raises(UnreadableDocument, match="/keyturn/demo/apis/billing1"):
        visit(mint(booted, cloud, aud="billing"), kind=kind)
    assert own(booted, mint(booted, cloud), kind=kind) == "open"


def test_the_last_good_document_counts_until_the_stale_limit(booted, cloud, clock):
    """Then nobody is let in, and nobody is sent away."""
    declare_api(booted, cloud, {"audience": "billing"})
    visit(mint(booted, cloud, aud="billing"))
    declare_api(booted, cloud, "{")
    clock.advance(10)
    assert (visit(mint(booted, cloud, aud="billing")), visit(mint(booted, cloud))) == (
        "open",
        "401",
    )
    clock.advance(0.001)
    with pytest.raises(ViewTooOld):
        visit(mint(booted, cloud, aud="billing"))
    assert own(booted, mint(booted, cloud)) == "open"
    declare_api(booted, cloud, {"audience": "billing"})
    clock.advance(5)
    assert visit(mint(booted, cloud, aud="billing")) == "open"


def test_an_unreadable_document_is_told_by_its_parameter(booted, cloud, printed, monkeypatch):
    """In the line of its metric; nothing of what is in it."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
    declare_api(booted, cloud, '{"secret": 7}')
    with pytest.raises(UnreadableDocument):
        visit(mint(booted, cloud, aud="billing"))
    lines = [json.loads(line) for line in printed().splitlines()]
    [line] = [line for line in lines if "UnreadableDocuments" in line]
    assert line["parameter"] == "/keyturn/demo/apis/billing1"
    assert "secret" not in json.dumps(line)
    assert sum("AuthorizerFaults" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("error", "fault"), [("ThrottlingException", Throttled), ("InternalServerError", NoReply)]
)
def test_ssm_down_for_a_document_is_a_fault_and_no_fallback(booted, cloud, aws, error, fault):
    """An API whose document cannot be read is not an API without one."""
    declare_api(booted, cloud, {"audience": "billing"})
    token = mint(booted, cloud)
    status = 500 if fault is NoReply else 400
    aws.fail("ssm:GetParameters", aws.error(error, status), times=99)
    with pytest.raises(fault):
        visit(token)


def test_fifty_apis_cost_no_call_when_warm(booted, cloud, aws):
    """And one read each when cold, beside the keyset's; a second round costs nothing."""
    names = [f"api{number}x" for number in range(50)]
    for name in names:
        declare_api(booted, cloud, {"audience": name}, name)
    tokens = {name: mint(booted, cloud, aud=name) for name in names}
    stages = {name: OTHER.replace("billing1", name) for name in names}
    aws.reset()
    for name in names:
        assert visit(tokens[name], api=stages[name]) == "open"
    assert aws.operations.count("ssm:GetParameters") == 50
    assert aws.operations.count("ssm:GetParametersByPath") == 1
    aws.reset()
    for name in names:
        assert visit(tokens[name], api=stages[name]) == "open"
    assert aws.operations == []


def test_junk_reads_no_document(booted, cloud, rsa_key, aws, clock):
    """Neither garbage nor tokens that nobody signed, at whatever API and however old the view."""
    declare_api(booted, cloud, {"audience": "billing"})
    good = mint(booted, cloud, aud="billing")
    visit(good)
    clock.advance(5)
    header, payload, signature = good.split(".")
    swapped = f"{header}.{mint(booted, cloud, sub='root').split('.')[1]}.{signature}"
    unknown = forge(rsa_key, {"alg": "RS256", "kid": "k" * 43, "typ": "at+jwt"}, {"aud": "billing"})
    aws.reset()
    for token in ("a.b.c", f"{header}.{payload}.x", swapped, unknown):
        assert visit(token) == "401"
    assert [call for call in aws.params("ssm:GetParameters") if "apis" in str(call)] == []


@pytest.mark.parametrize("api", ["*", "a b", "a%2Fb", "..", "", "A1", "x" * 65])
def test_what_is_no_api_s_id_is_never_part_of_a_parameter_s_name(booted, cloud, aws, api):
    """Only API Gateway calls the authorizer; somebody who may invoke it learns nothing by it."""
    token = mint(booted, cloud)
    aws.reset()
    with pytest.raises(ValueError, match="names no API"):
        visit(token, api=OTHER.replace("billing1", api))
    assert aws.operations == []
