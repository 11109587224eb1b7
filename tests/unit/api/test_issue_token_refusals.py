"""What the issuer refuses: 400, the field's name first, and nothing is signed."""

import json

import pytest

from keyturn.api import authorize, issue_token
from keyturn.api.gateway import MAX_ARN
from tests.unit.stage import invoke

CALLER = "arn:aws:iam::123456789012:role/shop"
GOOD = {"subject": "user-1"}


@pytest.fixture
def refused(booted, aws, printed):
    """Insist on the refusal of a body; returns its description."""

    def refused(body, error="invalid_request", **event) -> str:
        text = body if isinstance(body, str) else json.dumps(body)
        answer = invoke(
            issue_token,
            {
                "body": text,
                "path": "/token/shop",
                "pathParameters": {"client": "shop"},
                "requestContext": {"identity": {"userArn": CALLER}},
                **event,
            },
        )
        assert answer["statusCode"] == 400, answer
        assert answer["headers"]["Cache-Control"] == "no-store"
        told = json.loads(answer["body"])
        assert told["error"] == error
        assert "kms:Sign" not in aws.operations
        return told["error_description"]

    return refused


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "subject=user-1", '{"subject":"a"}x', '{"subject":"a","subject":"b"}'),
        *("[" * 30_000, '{"subject":"a","claims":{"x":NaN}}', "\ufeff{}"),
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_a_body_that_is_not_json(refused, body):
    """The body is named; a member that is given twice could be read in two ways."""
    assert refused(body).startswith("body: is not a JSON object")


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_a_body_that_is_no_object(refused, body):
    """JSON of another kind is refused, too."""
    assert refused(json.dumps(body)) == "body: is not a JSON object"


@pytest.mark.parametrize("name", ["lifetme", "client_id", "sub", "kid", "alg", "__class__"])
def test_an_unknown_field(refused, name):
    """A typing error is not passed over; nor may HTTP callers say who they are."""
    assert refused({**GOOD, name: "x"}).startswith(f"{name}: ")


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
def test_a_reserved_claim(refused, name):
    """What the issuer vouches for is not the caller's to say."""
    assert refused({**GOOD, "claims": {name: "x"}}) == f"claims.{name}: is reserved"


@pytest.mark.parametrize("lifetime", [0, -1, 16, 10**12, "10", True, False, 1.5, [], {}])
def test_a_lifetime_that_cannot_be(refused, lifetime):
    """From one second to the active key's own lifetime, as an integer."""
    assert refused({**GOOD, "lifetime": lifetime}).startswith("lifetime: ")


def test_a_lifetime_above_the_maximum_names_it(refused):
    """The caller learns what it may ask for."""
    assert refused({**GOOD, "lifetime": 16}) == (
        "lifetime: is above this client's maximum of 15 seconds"
    )


@pytest.mark.parametrize("audience", ["other", "orders ", "ORDERS", ["orders"], 7])
def test_an_audience_that_is_not_allowed(refused, audience):
    """Exactly the ones of the client's document (RFC 8707 section 2)."""
    error = "invalid_target" if isinstance(audience, str) else "invalid_request"
    assert refused({**GOOD, "audience": audience}, error).startswith("audience: ")


@pytest.mark.parametrize(
    "scope", ["admin", "orders:read admin", "orders:rea", "orders:read\torders:write", ["x"], 7]
)
def test_a_scope_that_is_not_allowed(refused, scope):
    """All of those asked for must be the client's (RFC 6749 section 5.2)."""
    error = "invalid_scope" if isinstance(scope, str) else "invalid_request"
    assert refused({**GOOD, "scope": scope}, error).startswith("scope: ")


@pytest.mark.parametrize(
    "subject", ["", "x" * 257, 7, None, {}, "a\nb", "\0", "a\u0085", "a\u2028b"]
)
def test_a_subject_that_cannot_be(refused, subject):
    """From one to 256 characters, none of which controls a terminal or breaks a line."""
    assert refused({"subject": subject}).startswith("subject: ")


def test_a_missing_subject(refused):
    """It has no default."""
    assert refused({}).startswith("subject: ")


@pytest.mark.parametrize("claims", [[], "text", 7, None])
def test_claims_that_are_no_object(refused, claims):
    """Names and values, or nothing."""
    assert refused({**GOOD, "claims": claims}).startswith("claims: ")


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
def test_claims_that_no_token_can_hold(refused, booted, claims, way):
    """A lone surrogate has no UTF-8, JSON no NaN, and nobody reads 500 levels."""
    if way == "http":
        assert refused(f'{{"subject":"user-1","claims":{claims}}}').startswith(("body", "claims"))
    else:
        event = {**GOOD, "client": "batch-1", "claims": json.loads(claims)}
        told = invoke(issue_token, event)
        assert told["error"] == "invalid_request"
        assert told["error_description"].startswith("claims")


@pytest.mark.parametrize("way", ["http", "direct"])
def test_a_subject_that_no_token_can_hold(refused, booted, way):
    """The same for the subject."""
    if way == "http":
        assert refused(r'{"subject":"\ud800"}').startswith(("body", "subject"))
    else:
        told = invoke(issue_token, {"subject": "\ud800", "client": "batch-1"})
        assert told["error_description"].startswith("subject")


@pytest.mark.parametrize("size", [32 * 1024 + 1, 40 * 1024, 400 * 1024])
def test_a_body_over_32_kb(refused, size):
    """Measured in bytes, before anything is parsed."""
    assert refused("x" * size) == "body: is larger than 32768 bytes"


def test_a_body_of_32_kb_in_fewer_characters(refused):
    """A character may be four bytes."""
    body = json.dumps({**GOOD, "claims": {"x": "🔑" * 8192}}, ensure_ascii=False)
    assert len(body) < 32 * 1024
    assert refused(body) == "body: is larger than 32768 bytes"


def test_a_body_that_is_not_the_base64_it_says_it_is(refused):
    """The body is named."""
    assert refused("!", isBase64Encoded=True) == "body: is not base64"


@pytest.mark.parametrize("size", [5700, 6100, 30_000])
def test_a_token_over_8_kb(refused, size):
    """What our own verifier would refuse is not issued."""
    assert refused({**GOOD, "claims": {"x": "y" * size}}) == (
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


def test_a_token_whose_answer_is_over_8_kb(refused):
    """A WebSocket API would take no answer about it: each of these is twelve bytes there, and four here."""
    assert refused({**GOOD, "claims": {"x": "🔑" * 700}}) == (
        "claims: make the authorizer's answer larger than 8192 bytes"
    )


def test_the_answer_about_the_largest_token_fits(booted, events):
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


def test_refusals_never_show_values(refused, printed):
    """What was sent may be a secret: neither the answer nor a log repeats it."""
    for body, error in (
        ({**GOOD, "lifetime": "s3cret-value"}, "invalid_request"),
        ({**GOOD, "audience": "s3cret-value"}, "invalid_target"),
        ({**GOOD, "scope": "s3cret-value"}, "invalid_scope"),
        ({**GOOD, "claims": {"exp": "s3cret-value"}}, "invalid_request"),
        ({"subject": ["s3cret-value"]}, "invalid_request"),
    ):
        assert "s3cret-value" not in refused(body, error)
    assert "s3cret-value" not in printed()
