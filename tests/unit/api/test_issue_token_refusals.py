"""What the issuer refuses: 400, the field's name first, and nothing is signed."""

import json

import pytest

from keyturn.api import authorize, issue_token
from keyturn.api.gateway import MAX_ARN
from tests.unit.api import events
from tests.unit.api.requests import post
from tests.unit.stage import invoke

GOOD = {"subject": "user-1"}


def refused(aws, body, error="invalid_request", **event) -> str:
    """Insist on the refusal of a body; returns its description."""
    answer = post(body, **event)
    assert answer["statusCode"] == 400, answer
    assert answer["headers"]["Cache-Control"] == "no-store"
    told = json.loads(answer["body"])
    assert told["error"] == error
    assert "kms:Sign" not in aws.operations
    return told["error_description"]


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "subject=user-1", '{"subject":"a"}x', '{"subject":"a","subject":"b"}'),
        *("[" * 30_000, '{"subject":"a","claims":{"x":NaN}}', "\ufeff{}"),
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_a_body_that_is_not_json(booted, aws, body):
    """The body is named; a member that is given twice could be read in two ways."""
    assert refused(aws, body).startswith("body: is not a JSON object")


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_a_body_that_is_no_object(booted, aws, body):
    """JSON of another kind is refused, too."""
    assert refused(aws, json.dumps(body)) == "body: is not a JSON object"


@pytest.mark.parametrize("name", ["lifetme", "client_id", "sub", "kid", "alg", "__class__"])
def test_an_unknown_field(booted, aws, name):
    """A typing error is not passed over; nor may HTTP callers say who they are."""
    assert refused(aws, {**GOOD, name: "x"}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    "name",
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "client_id",
        "scope",
        "kid",
        "alg",
        "typ",
        "cnf",
    ],
)
def test_a_reserved_claim(booted, aws, name):
    """What the issuer vouches for is not the caller's to say."""
    assert refused(aws, {**GOOD, "claims": {name: "x"}}) == f"claims.{name}: is reserved"


@pytest.mark.parametrize("lifetime", [0, -1, 16, 10**12, "10", True, False, 1.5, [], {}])
def test_a_lifetime_that_cannot_be(booted, aws, lifetime):
    """From one second to the active key's own lifetime, as an integer."""
    assert refused(aws, {**GOOD, "lifetime": lifetime}).startswith("lifetime: ")


def test_a_lifetime_above_the_maximum_names_it(booted, aws):
    """The caller learns what it may ask for."""
    assert refused(aws, {**GOOD, "lifetime": 16}) == (
        "lifetime: is above this client's maximum of 15 seconds"
    )


@pytest.mark.parametrize("audience", ["other", "orders ", "ORDERS", ["orders"], 7])
def test_an_audience_that_is_not_allowed(booted, aws, audience):
    """Exactly the ones of the client's document (RFC 8707 section 2)."""
    error = "invalid_target" if isinstance(audience, str) else "invalid_request"
    assert refused(aws, {**GOOD, "audience": audience}, error).startswith("audience: ")


@pytest.mark.parametrize(
    "scope", ["admin", "orders:read admin", "orders:rea", "orders:read\torders:write", ["x"], 7]
)
def test_a_scope_that_is_not_allowed(booted, aws, scope):
    """All of those asked for must be the client's (RFC 6749 section 5.2)."""
    error = "invalid_scope" if isinstance(scope, str) else "invalid_request"
    assert refused(aws, {**GOOD, "scope": scope}, error).startswith("scope: ")


@pytest.mark.parametrize(
    "subject", ["", "x" * 257, 7, None, {}, "a\nb", "\0", "a\u0085", "a\u2028b"]
)
def test_a_subject_that_cannot_be(booted, aws, subject):
    """From one to 256 characters, none of which controls a terminal or breaks a line."""
    assert refused(aws, {"subject": subject}).startswith("subject: ")


def test_a_missing_subject(booted, aws):
    """It has no default."""
    assert refused(aws, {}).startswith("subject: ")


@pytest.mark.parametrize("claims", [[], "text", 7, None])
def test_claims_that_are_no_object(booted, aws, claims):
    """Names and values, or nothing."""
    assert refused(aws, {**GOOD, "claims": claims}).startswith("claims: ")


@pytest.mark.parametrize(
    "claims",
    [
        r'{"x":"\ud800"}',
        r'{"x":["a",{"y":"\udfff"}]}',
        r'{"\ud800":"x"}',
        r'{"x":NaN}',
        r'{"x":-Infinity}',
        r'{"x":1e999}',
        '{"x":' + "[" * 500 + "]" * 500 + "}",
    ],
    ids=lambda claims: claims[:20],
)
@pytest.mark.parametrize("way", ["http", "direct"])
def test_claims_that_no_token_can_hold(booted, aws, claims, way):
    """A lone surrogate has no UTF-8, JSON no NaN, and nobody reads 500 levels."""
    if way == "http":
        assert refused(aws, f'{{"subject":"user-1","claims":{claims}}}').startswith(
            ("body", "claims")
        )
    else:
        event = {**GOOD, "client": "batch-1", "claims": json.loads(claims)}
        told = invoke(issue_token, event)
        assert told["error"] == "invalid_request"
        assert told["error_description"].startswith("claims")


@pytest.mark.parametrize("way", ["http", "direct"])
def test_a_subject_that_no_token_can_hold(booted, aws, way):
    """The same for the subject."""
    if way == "http":
        assert refused(aws, r'{"subject":"\ud800"}').startswith(("body", "subject"))
    else:
        told = invoke(issue_token, {"subject": "\ud800", "client": "batch-1"})
        assert told["error_description"].startswith("subject")


@pytest.mark.parametrize("size", [32 * 1024 + 1, 40 * 1024, 400 * 1024])
def test_a_body_over_32_kb(booted, aws, size):
    """Measured in bytes, before anything is parsed."""
    assert refused(aws, "x" * size) == "body: is larger than 32768 bytes"


def test_a_body_of_32_kb_in_fewer_characters(booted, aws):
    """A character may be four bytes."""
    body = json.dumps({**GOOD, "claims": {"x": "🔑" * 8192}}, ensure_ascii=False)
    assert len(body) < 32 * 1024
    assert refused(aws, body) == "body: is larger than 32768 bytes"


def test_a_body_that_is_not_the_base64_it_says_it_is(booted, aws):
    """The body is named."""
    assert refused(aws, "!", isBase64Encoded=True) == "body: is not base64"


@pytest.mark.parametrize("size", [5700, 6100, 30_000])
def test_a_token_over_8_kb(booted, aws, size):
    """What our own verifier would refuse is not issued."""
    assert refused(aws, {**GOOD, "claims": {"x": "y" * size}}) == (
        "claims: make the token larger than 8192 bytes"
    )


def test_a_token_of_just_8_kb_is_issued(booted):
    """The largest one is exactly 8,192 bytes long."""
    sizes = []
    for size in range(5000, 5800):
        event = {**GOOD, "client": "batch-1", "claims": {"x": "y" * size}}
        answer = invoke(issue_token, event) if size > 5400 else {"access_token": ""}
        if "access_token" not in answer:
            break
        sizes.append(len(answer["access_token"]))
    assert 8192 - 2 <= max(sizes) <= 8192


def test_a_token_whose_answer_is_over_8_kb(booted, aws):
    """A WebSocket API would take no answer about it: each of these is twelve bytes there, and four here."""
    assert refused(aws, {**GOOD, "claims": {"x": "🔑" * 700}}) == (
        "claims: make the authorizer's answer larger than 8192 bytes"
    )


def test_the_answer_about_the_largest_token_fits(booted):
    """On each kind of API, at the longest path; one character more is not signed."""
    for room in range(700, 0, -1):
        token = invoke(issue_token, {**GOOD, "client": "batch-1", "claims": {"x": "🔑" * room}})
        if "access_token" in token:
            break
    stage = "arn:aws:execute-api:us-east-1:123456789012:api1/v1"
    longest = f"GET/{(MAX_ARN - len(stage) - len('/GET/')) * 'x'}"
    header = f"Bearer {token['access_token']}"
    sizes = [
        len(json.dumps(invoke(authorize, event)))
        for event in (
            events.token(header, longest),
            events.websocket(header),
            events.http(header, longest),
        )
    ]
    assert 7_000 < max(sizes) <= 8192


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"subject": "user-1"}, "client"),
        ({"subject": "user-1", "client": 5}, "client"),
        ({"client": "batch-1"}, "subject"),
        ({"subject": "user-1", "client": "batch-1", "client_id": "x"}, "client_id"),
        ({"subject": "user-1", "client": "batch-1", "note": "x"}, "note"),
        ({"subject": "user-1", "client": "batch-1", "lifetime": True}, "lifetime"),
        ({"subject": "user-1", "client": "batch-1", "claims": {"exp": 1}}, "claims.exp"),
    ],
)
def test_a_bad_direct_request(booted, aws, event, field):
    """Refused alike, without the envelope."""
    told = invoke(issue_token, event)
    assert told["error"] == "invalid_request"
    assert told["error_description"].startswith(f"{field}: ")
    assert "kms:Sign" not in aws.operations


def test_refusals_never_show_values(booted, aws, printed):
    """What was sent may be a secret: neither the answer nor a log repeats it."""
    for body, error in (
        ({**GOOD, "lifetime": "s3cret-value"}, "invalid_request"),
        ({**GOOD, "audience": "s3cret-value"}, "invalid_target"),
        ({**GOOD, "scope": "s3cret-value"}, "invalid_scope"),
        ({**GOOD, "claims": {"exp": "s3cret-value"}}, "invalid_request"),
        ({"subject": ["s3cret-value"]}, "invalid_request"),
    ):
        assert "s3cret-value" not in refused(aws, body, error)
    assert "s3cret-value" not in printed()
