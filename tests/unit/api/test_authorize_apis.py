"""APIs with documents of their own: each document decides about its API, and about no other."""

import json

import pytest

from keyturn.aws.faults import NoReply, Throttled, UnreadableDocument
from keyturn.aws.view import ViewTooOld
from tests.unit.api.requests import ask, forge_by_kid, mint, routed

KINDS = ["token", "request", "http"]
STAGE = "arn:aws:execute-api:us-east-1:123456789012:{}/prod"
ROUTES = {"GET /invoices": "invoices:read"}


def declare_api(cloud, document, api_id="billing1") -> None:
    """Write an API's document, as its team does; a text is written as it is."""
    text = document if isinstance(document, str) else json.dumps(document)
    cloud.ssm.put(f"/keyturn/demo/apis/{api_id}", text, overwrite=True)


def visit(token, route="GET/invoices", api_id="billing1", kind="token") -> str:
    """The result for a token at a route: `open`, `closed`, or `unauthorized`."""
    api = STAGE.format(api_id)
    answer = ask(token, kind, route=route, api=api)
    if answer is None:
        return "unauthorized"
    if kind == "http":
        return "open" if answer["isAuthorized"] else "closed"
    [statement] = answer["policyDocument"]["Statement"]
    opens = {f"{api}/{route}", f"{api}/*"} & set(statement["Resource"])
    return "open" if statement["Effect"] == "Allow" and opens else "closed"


def visit_undocumented(token, **how) -> str:
    """The same at an API without a document."""
    return visit(token, "GET/orders", "api1", **how)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("audience", "scope", "route", "result"),
    [
        ("billing", "invoices:read", "GET/invoices", "open"),
        ("billing", "orders:read", "GET/invoices", "closed"),
        ("billing", "invoices:read", "DELETE/all", "closed"),
        ("orders", "invoices:read", "GET/invoices", "unauthorized"),
    ],
)
def test_a_document_s_audience_and_routes_decide(
    booted, cloud, kind, audience, scope, route, result
):
    """A token needs the audience and the scope."""
    declare_api(cloud, {"audience": "billing", "routes": ROUTES})
    assert visit(mint(booted, cloud, aud=audience, scope=scope), route, kind=kind) == result


def test_a_document_without_routes_opens_the_stage_to_its_audience(booted, cloud):
    """Tokens for that audience open no other API, and no others open this one."""
    declare_api(cloud, {"audience": "billing"})
    billing, orders = mint(booted, cloud, aud="billing", scope=...), mint(booted, cloud)
    assert (visit(billing, "DELETE/all"), visit_undocumented(billing)) == ("open", "unauthorized")
    assert (visit(orders, "DELETE/all"), visit_undocumented(orders)) == ("unauthorized", "open")


def test_route_scopes_are_for_apis_without_a_document(container, booted, cloud):
    """A documented API has only its own routes."""
    routed(container, "GET /orders=orders:read")
    declare_api(cloud, {"audience": "billing", "routes": ROUTES})
    assert visit(mint(booted, cloud, aud="billing", scope="orders:read"), "GET/orders") == "closed"
    assert visit_undocumented(mint(booted, cloud)) == "open"


def test_a_change_takes_effect_after_c(booted, cloud, clock):
    """The routes change, then the audience; without its document an API is as the stack says."""
    tokens = [mint(booted, cloud, aud=name, scope=...) for name in ("billing", "orders")]
    declare_api(cloud, {"audience": "billing"})
    assert list(map(visit, tokens)) == ["open", "unauthorized"]
    declare_api(cloud, {"audience": "billing", "routes": ROUTES})
    clock.advance(1.001)
    assert list(map(visit, tokens)) == ["closed", "unauthorized"]
    declare_api(cloud, {"audience": "elsewhere"})
    clock.advance(1.001)
    assert list(map(visit, tokens)) == ["unauthorized", "unauthorized"]
    cloud.ssm.delete(["/keyturn/demo/apis/billing1"])
    clock.advance(1.001)
    assert list(map(visit, tokens)) == ["unauthorized", "open"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"audience": ""}', '{"audience": "a", "route": {}}', "null"]
)
def test_an_unreadable_document_is_a_fault_of_that_api_alone(booted, cloud, kind, text):
    """A cold container lets nobody in there and calls no token invalid; other APIs are unaffected."""
    declare_api(cloud, text)
    with pytest.raises(UnreadableDocument, match="/keyturn/demo/apis/billing1"):
        visit(mint(booted, cloud, aud="billing"), kind=kind)
    assert visit_undocumented(mint(booted, cloud), kind=kind) == "open"


def test_the_last_good_document_is_used_until_the_stale_limit(booted, cloud, clock):
    """Then requests to that API fail until its document can be read again."""
    declare_api(cloud, {"audience": "billing"})
    visit(mint(booted, cloud, aud="billing"))
    declare_api(cloud, "{")
    clock.advance(10)
    assert visit(mint(booted, cloud, aud="billing")) == "open"
    assert visit(mint(booted, cloud)) == "unauthorized"
    clock.advance(0.001)
    with pytest.raises(ViewTooOld):
        visit(mint(booted, cloud, aud="billing"))
    assert visit_undocumented(mint(booted, cloud)) == "open"
    declare_api(cloud, {"audience": "billing"})
    clock.advance(5)
    assert visit(mint(booted, cloud, aud="billing")) == "open"


def test_the_metric_of_an_unreadable_document_names_its_parameter(
    booted, cloud, printed, monkeypatch
):
    """Its content is not logged."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
    declare_api(cloud, '{"secret": 7}')
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
def test_without_ssm_a_documented_api_has_no_fallback(booted, cloud, aws, error, fault):
    """An API whose document cannot be read is not an API without one."""
    declare_api(cloud, {"audience": "billing"})
    token = mint(booted, cloud)
    status = 500 if fault is NoReply else 400
    aws.fail("ssm:GetParameters", aws.error(error, status), times=99)
    with pytest.raises(fault):
        visit(token)


def test_fifty_apis_cost_no_call_when_warm(booted, cloud, aws):
    """A cold container reads each document once, and the keyset once."""
    tokens = {}
    for name in (f"api{number}x" for number in range(50)):
        declare_api(cloud, {"audience": name}, name)
        tokens[name] = mint(booted, cloud, aud=name)
    for documents, keysets in ((50, 1), (0, 0)):
        aws.reset()
        assert {visit(token, api_id=name) for name, token in tokens.items()} == {"open"}
        assert aws.operations.count("ssm:GetParameters") == documents
        assert aws.operations.count("ssm:GetParametersByPath") == keysets


def test_an_invalid_token_reads_no_document(booted, cloud, rsa_key, aws, clock):
    """This holds for garbage and for unsigned tokens, however old the view is."""
    declare_api(cloud, {"audience": "billing"})
    good = mint(booted, cloud, aud="billing")
    visit(good)
    clock.advance(5)
    header, payload, signature = good.split(".")
    swapped = f"{header}.{mint(booted, cloud, sub='root').split('.')[1]}.{signature}"
    aws.reset()
    for token in ("a.b.c", f"{header}.{payload}.x", swapped, forge_by_kid(rsa_key)):
        assert visit(token) == "unauthorized"
    assert [call for call in aws.params("ssm:GetParameters") if "apis" in str(call)] == []


@pytest.mark.parametrize("api_id", ["*", "a b", "a%2Fb", "..", "", "A1", "x" * 65])
def test_an_invalid_api_id_is_never_part_of_a_parameter_s_name(booted, cloud, aws, api_id):
    """Only API Gateway calls the authorizer; anyone else who invokes it learns nothing that way."""
    token = mint(booted, cloud)
    aws.reset()
    with pytest.raises(ValueError, match="names no API"):
        visit(token, api_id=api_id)
    assert aws.operations == []
