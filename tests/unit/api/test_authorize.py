"""Authorize a request: which tokens are accepted, which are refused, and at what cost."""

import json

import pytest

from tests.unit.api import events
from tests.unit.api.requests import accepted, ask, check_silent, decide, forge_by_kid, logged, mint
from tests.unit.stage import active_key, truth

KINDS = ["token", "request", "http"]


@pytest.mark.parametrize("kind", ["token", "request"])
def test_a_valid_token_opens_the_stage_of_a_rest_api(booted, cloud, kind):
    """The answer has a policy, the principal, and the claims as strings."""
    answer = ask(mint(booted, cloud, tenant={"id": 7}), kind)
    assert json.loads(answer["context"].pop("claims"))["tenant"] == {"id": 7}
    assert answer == {
        "principalId": "user-1",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [f"{events.API}/*"],
                }
            ],
        },
        "context": {
            "sub": "user-1",
            "client_id": "client-1",
            "jti": "jti-1",
            "scope": "orders:read",
        },
    }


def test_a_valid_token_is_authorized_at_an_http_api(booted, cloud):
    """The answer is the simple one of payload format 2.0."""
    answer = ask(mint(booted, cloud, scope=...), "http")
    assert answer["isAuthorized"] is True
    assert (answer["context"]["sub"], answer["context"]["scope"]) == ("user-1", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_warm_container_makes_no_call(booted, cloud, aws, kind):
    """Within C every decision is local."""
    ask(mint(booted, cloud), kind)
    tokens = [mint(booted, cloud, jti=f"jti-{number}") for number in range(3)]
    aws.reset()
    assert all(ask(token, kind) for token in tokens)
    assert aws.operations == []


def test_a_cold_container_reads_keyset_public_key_and_document_once(booted, cloud, aws, clock):
    """Once the view is older than C it reads keyset and document again; it keeps the public key."""
    token = mint(booted, cloud)
    aws.reset()
    ask(token)
    assert aws.operations == ["ssm:GetParametersByPath", "kms:GetPublicKey", "ssm:GetParameters"]
    clock.advance(1.1)
    aws.reset()
    ask(token)
    assert aws.operations == ["ssm:GetParameters"] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token {}", "{}", " Bearer {}"),
        *("Bearer\t{}", "Bearer{}", "Bearer: {}", "Bearer {} {}", "Bearer {},", "Bearer \t{}"),
        *("Bearer a.b", "Bearer a.b.c", "Bearer ..", "Bearer {}x", "Bearer 🔑"),
        *(7, ["Bearer {}"], {"x": 1}, True),
    ],
)
def test_a_header_without_a_bearer_token_is_unauthorized(
    booted, cloud, printed, caplog, header, kind
):
    """RFC 6750: the scheme, spaces, one token. Nothing of the header is logged."""
    token = mint(booted, cloud)
    header = header.format(token, token) if isinstance(header, str) else header
    assert decide(getattr(events, kind)(header)) is None
    check_silent(printed, caplog, token)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer    "])
def test_the_scheme_has_any_case_and_any_number_of_spaces(booted, cloud, scheme, kind):
    """RFC 9110: schemes are case-insensitive."""
    assert decide(getattr(events, kind)(scheme + mint(booted, cloud)))


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_the_header_s_name_has_any_case(booted, cloud, name):
    """REST APIs keep the client's spelling; HTTP/2 clients send lower case."""
    assert decide({**events.request("x"), "headers": {name: f"Bearer {mint(booted, cloud)}"}})


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
def test_a_token_with_wrong_claims_is_unauthorized(
    booted, cloud, printed, caplog, kind, claims, code
):
    """The caller is not told why; the log has the code, and nothing of the token."""
    token = mint(booted, cloud, **claims)
    assert ask(token, kind) is None
    assert [entry["code"] for entry in logged(printed, "refused")] == [code]
    check_silent(printed, caplog, token)


def test_a_token_is_valid_until_its_leeway_is_over(booted, cloud, clock):
    """It is refused from exp + λ = 17 s on."""
    token = mint(booted, cloud)
    clock.advance(16.9)
    assert accepted(token)
    clock.advance(0.1)
    assert not accepted(token)


def test_a_token_may_not_live_longer_than_its_key_allows(booted, cloud, clock):
    """An attacker who can make KMS sign does not choose how long the token is valid."""
    now = int(clock.now().timestamp())
    assert accepted(mint(booted, cloud, exp=now + 15))
    assert not accepted(mint(booted, cloud, exp=now + 16))


@pytest.mark.parametrize("swapped", [1, 2], ids=["payload", "signature"])
def test_a_token_of_two_valid_ones_is_unauthorized(booted, cloud, printed, swapped):
    """Its parts are genuine, but do not belong together."""
    parts, others = mint(booted, cloud).split("."), mint(booted, cloud, sub="root").split(".")
    parts[swapped] = others[swapped]
    assert not accepted(".".join(parts))
    assert [entry["code"] for entry in logged(printed, "refused")] == ["signature"]


@pytest.mark.parametrize(
    ("audience", "message", "code"),
    [("orders", "accepted", "ok"), ("billing", "refused", "audience")],
)
def test_a_decision_is_one_log_line(booted, cloud, printed, audience, message, code):
    """It has the code, the key, the generation and the request, and nothing from the token."""
    ask(mint(booted, cloud, aud=audience))
    [text] = printed().splitlines()
    line = json.loads(text)
    expected = {
        "message": message,
        "code": code,
        "kid": active_key(truth(cloud)).kid,
        "key_state": "active",
        "generation": 2,
        "request_id": "request-1",
    }
    assert {name: line[name] for name in expected} == expected
    assert "user-1" not in text


@pytest.mark.parametrize("kid", ["k" * 43, "k" * 42, "k" * 5000, ""])
def test_an_unknown_kid_is_not_logged(booted, rsa_key, printed, kid):
    """It is the caller's text; the log says only that it is unknown."""
    assert not accepted(forge_by_kid(rsa_key, kid))
    [text] = printed().splitlines()
    line = json.loads(text)
    assert (line["code"], "kid" in line) == ("unknown_kid", False)


def test_a_kid_that_no_key_can_have_causes_no_read(booted, cloud, rsa_key, aws, clock):
    """A thumbprint has 43 characters; any other kid costs no call."""
    ask(mint(booted, cloud))
    clock.advance(5.1)
    aws.reset()
    for kid in ("k" * 42, "k" * 44, "k"):
        ask(forge_by_kid(rsa_key, kid))
    assert aws.operations == []


@pytest.mark.parametrize(("scheme", "code"), [("Bearer", "too_large"), ("Basic", "missing")])
def test_a_header_larger_than_api_gateway_passes_is_refused(booted, printed, scheme, code):
    """Nothing of it is copied before."""
    assert decide(events.token(f"{scheme} {' ' * 32_768}")) is None
    assert [entry["code"] for entry in logged(printed)] == [code]
