"""Authorize a request: who gets in, who does not, and what it costs."""

import json

import pytest

from keyturn.api import authorize
from tests.unit.api import events
from tests.unit.api.requests import accepted, ask, logged, mint, silent
from tests.unit.stage import active_key, forge, invoke, truth

KINDS = ["token", "request", "http"]
REST = ["token", "request"]


@pytest.mark.parametrize("kind", REST)
def test_a_good_token_opens_the_stage(booted, cloud, kind):
    """A REST API gets a policy, the principal, and the claims as strings."""
    answer = ask(f"Bearer {mint(booted, cloud, tenant={'id': 7})}", kind)
    assert answer["principalId"] == "user-1"
    assert answer["policyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Action": "execute-api:Invoke",
                "Effect": "Allow",
                "Resource": ["arn:aws:execute-api:us-east-1:123456789012:api1/v1/*"],
            }
        ],
    }
    context = answer["context"]
    assert all(isinstance(value, str) for value in context.values())
    assert {name: context[name] for name in ("sub", "client_id", "jti", "scope")} == {
        "sub": "user-1",
        "client_id": "client-1",
        "jti": "jti-1",
        "scope": "orders:read",
    }
    assert json.loads(context["claims"])["tenant"] == {"id": 7}


def test_a_good_token_at_an_http_api(booted, cloud):
    """The simple answer of payload format 2.0."""
    answer = ask(f"Bearer {mint(booted, cloud, scope=...)}", "http")
    assert answer["isAuthorized"] is True
    assert (answer["context"]["sub"], answer["context"]["scope"]) == ("user-1", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_warm_container_makes_no_call(booted, cloud, aws, kind):
    """Within C nothing but this process decides."""
    ask(f"Bearer {mint(booted, cloud)}", kind)
    tokens = [mint(booted, cloud, jti=f"jti-{number}") for number in range(3)]
    aws.reset()
    for token in tokens:
        ask(f"Bearer {token}", kind)
    assert aws.operations == []


def test_a_cold_container_reads_the_keyset_one_key_and_the_api_s_document(booted, cloud, aws):
    """Each once, and no more."""
    token = mint(booted, cloud)
    aws.reset()
    ask(f"Bearer {token}")
    assert aws.operations == ["ssm:GetParametersByPath", "kms:GetPublicKey", "ssm:GetParameters"]


def test_an_old_view_is_refreshed_first(booted, cloud, aws, clock):
    """Older than C, keyset and document are read before the answer; the public key is kept."""
    ask(f"Bearer {mint(booted, cloud)}")
    clock.advance(1.1)
    token = mint(booted, cloud)
    aws.reset()
    ask(f"Bearer {token}")
    assert aws.operations == ["ssm:GetParameters"] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token {}", "{}", " Bearer {}"),
        *("Bearer\t{}", "Bearer{}", "Bearer: {}", "Bearer {} {}", "Bearer {},", "Bearer \t{}"),
        *("Bearer a.b", "Bearer a.b.c", "Bearer ..", "Bearer {}x", "Bearer 🔑"),
    ],
)
def test_what_is_no_bearer_token_is_unauthorized(booted, cloud, printed, caplog, header, kind):
    """RFC 6750: the scheme, spaces, one token. Nothing of it is written anywhere."""
    token = mint(booted, cloud)
    header = header.format(token, token) if header else header
    refused = {"isAuthorized": False} if kind == "http" else 401
    assert ask(header, kind) == refused
    silent(printed, caplog, token)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer    "])
def test_the_scheme_in_any_case_and_several_spaces(booted, cloud, scheme, kind):
    """The scheme's case does not matter (RFC 9110), nor does the number of spaces."""
    assert ask(scheme + mint(booted, cloud), kind) not in (401, {"isAuthorized": False})


@pytest.mark.parametrize("header", [7, ["Bearer x"], {"x": 1}, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_header_that_is_no_text_is_unauthorized(booted, header, kind):
    """Whatever API Gateway may make of it one day."""
    assert ask(header, kind) == ({"isAuthorized": False} if kind == "http" else 401)


@pytest.mark.parametrize("headers", [None, {}, [], {"X-Authorization": "Bearer x"}])
def test_a_request_without_the_header_is_unauthorized(booted, headers):
    """REST sends `null` for no headers at all."""
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        invoke(authorize, {**events.request("x"), "headers": headers})


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_the_headers_name_in_any_case(booted, cloud, name):
    """REST keeps the client's spelling, HTTP/2 clients send lower case."""
    event = {**events.request("x"), "headers": {name: f"Bearer {mint(booted, cloud)}"}}
    assert invoke(authorize, event)["principalId"] == "user-1"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1, "iat": 0, "nbf": 0}, "expired"),
        ({"iss": "https://other.example"}, "issuer"),
        ({"aud": "billing"}, "audience"),
        ({"aud": ["orders"]}, "claims"),
        ({"jti": ...}, "claims"),
        ({"scope": ["orders:read"]}, "claims"),
        ({"exp": True}, "claims"),
    ],
)
def test_a_token_that_is_not_for_us_is_unauthorized(
    booted, cloud, printed, caplog, kind, claims, code
):
    """The caller hears nothing; the log has the code, and nothing of the token."""
    token = mint(booted, cloud, **claims)
    assert ask(f"Bearer {token}", kind) == ({"isAuthorized": False} if kind == "http" else 401)
    assert [e["code"] for e in logged(printed) if e["message"] == "refused"] == [code]
    silent(printed, caplog, token)


def test_a_token_counts_until_its_leeway_is_over(booted, cloud, clock):
    """exp + λ = 17 s: at that instant it is refused."""
    token = mint(booted, cloud)
    clock.advance(16.9)
    assert accepted(token)
    clock.advance(0.1)
    assert not accepted(token)


def test_a_token_may_not_live_longer_than_its_key_allows(booted, cloud, clock):
    """Whoever could make KMS sign does not choose how long it counts."""
    now = int(clock.now().timestamp())
    assert accepted(mint(booted, cloud, exp=now + 15))
    assert not accepted(mint(booted, cloud, exp=now + 16))


@pytest.mark.parametrize("token", ["swapped signature", "swapped payload"])
def test_a_forged_token_is_unauthorized(booted, cloud, printed, token):
    """Its parts are genuine, together they are not."""
    first, second = mint(booted, cloud).split("."), mint(booted, cloud, sub="root").split(".")
    forged = [first[0], second[1], first[2]] if "payload" in token else [*first[:2], second[2]]
    assert not accepted(".".join(forged))
    assert [e["code"] for e in logged(printed) if e["message"] == "refused"] == ["signature"]


def test_an_accepted_token_leaves_one_line(booted, cloud, printed):
    """Which key and generation decided, for which request; nothing that was in the token."""
    token = mint(booted, cloud)
    ask(f"Bearer {token}")
    [line] = [json.loads(line) for line in printed().splitlines()]
    told = {name: line[name] for name in ("message", "kid", "generation", "request_id")}
    assert told == {
        "message": "accepted",
        "kid": active_key(truth(cloud)).kid,
        "generation": 2,
        "request_id": "request-1",
    }
    assert (line["code"], line["key_state"]) == ("ok", "active")
    assert "user-1" not in json.dumps(line)


def test_a_refused_token_leaves_one_line(booted, cloud, printed):
    """The same with the code."""
    ask(f"Bearer {mint(booted, cloud, aud='billing')}")
    [line] = [json.loads(line) for line in printed().splitlines()]
    assert {name: line[name] for name in ("message", "code", "kid", "key_state")} == {
        "message": "refused",
        "code": "audience",
        "kid": active_key(truth(cloud)).kid,
        "key_state": "active",
    }


@pytest.mark.parametrize("kid", ["k" * 43, "k" * 42, "k" * 5000, ""])
def test_a_kid_that_nobody_knows_is_not_told(booted, rsa_key, printed, kid):
    """It is the caller's text; the log says that it is unknown."""
    token = forge(rsa_key, {"alg": "RS256", "kid": kid, "typ": "at+jwt"}, {})
    assert ask(f"Bearer {token}") == 401
    [line] = [json.loads(line) for line in printed().splitlines()]
    assert (line["code"], "kid" in line) == ("unknown_kid", False)


def test_a_kid_that_no_key_can_have_causes_no_look(booted, cloud, rsa_key, aws, clock):
    """A thumbprint has 43 characters; whatever else is asked for costs no call."""
    ask(f"Bearer {mint(booted, cloud)}")
    clock.advance(5.1)
    aws.reset()
    for kid in ("k" * 42, "k" * 44, "k"):
        ask(f"Bearer {forge(rsa_key, {'alg': 'RS256', 'kid': kid, 'typ': 'at+jwt'}, {})}")
    assert aws.operations == []


@pytest.mark.parametrize(("scheme", "code"), [("Bearer", "too_large"), ("Basic", "missing")])
def test_a_header_larger_than_api_gateway_passes(booted, printed, scheme, code):
    """It is refused before anything of it is copied."""
    assert ask(f"{scheme} {' ' * 32_768}") == 401
    assert [entry["code"] for entry in logged(printed)] == [code]
