"""Requests that the issuer refuses: 400, the field's name first, and nothing is signed."""

import json

import pytest

from keyturn.api import issue_token
from tests.unit.api.requests import request_token
from tests.unit.stage import invoke

GOOD = {"subject": "user-1"}
DIRECT = {**GOOD, "client": "batch-1"}
RESERVED = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "cnf")
TOO_LARGE = "body: is larger than 32768 bytes"


def refused(aws, body, error="invalid_request", **event) -> str:
    """Insist on the refusal of a body; returns its description."""
    status, answer = request_token(body, **event)
    assert (status, answer["error"]) == (400, error)
    assert "kms:Sign" not in aws.operations
    return answer["error_description"]


def issue(**claims):
    """The answer to a valid direct invoke with these claims of its own."""
    return invoke(issue_token, {**DIRECT, "claims": claims})


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "subject=user-1", '{"subject":"a"}x', '{"subject":"a","subject":"b"}'),
        *("[" * 30_000, '{"subject":"a","claims":{"x":NaN}}', "\ufeff{}"),
        *("[]", '"text"', "7", "null", "true"),
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_a_body_must_be_a_json_object(booted, aws, body):
    """A duplicate member could be read in two ways."""
    assert refused(aws, body).startswith("body: is not a JSON object")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        *((name, ["x"]) for name in ("lifetme", "client_id", "sub", "kid", "alg", "__class__")),
        ("subject", ["", "x" * 257, 7, None, {}, "a\nb", "\0", "a\u0085", "a\u2028b"]),
        ("lifetime", [0, -1, 10**12, "10", True, False, 1.5, [], {}]),
        ("audience", [["orders"], 7]),
        ("scope", [["x"], 7]),
        ("claims", [[], "text", 7, None]),
    ],
)
def test_an_invalid_field_is_named(booted, aws, field, values):
    """Unknown fields are refused too: a typing error must not be ignored."""
    for value in values:
        assert refused(aws, {**GOOD, field: value}).startswith(f"{field}: "), value


def test_a_subject_is_required(booted, aws):
    """It has no default."""
    assert refused(aws, {}).startswith("subject: ")


def test_a_lifetime_above_the_maximum_is_refused_with_it(booted, aws):
    """The caller learns what it may request."""
    assert refused(aws, {**GOOD, "lifetime": 16}) == (
        "lifetime: is above this client's maximum of 15 seconds"
    )


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        *(("audience", value, "invalid_target") for value in ("other", "orders ", "ORDERS")),
        ("scope", "admin", "invalid_scope"),
        ("scope", "orders:read admin", "invalid_scope"),
        ("scope", "orders:rea", "invalid_scope"),
        ("scope", "orders:read\torders:write", "invalid_scope"),
    ],
)
def test_a_client_gets_only_its_own_audiences_and_scopes(booted, aws, field, value, error):
    """Each must be in the client's document (RFC 8707 section 2, RFC 6749 section 5.2)."""
    assert refused(aws, {**GOOD, field: value}, error).startswith(f"{field}: ")


@pytest.mark.parametrize("name", [*RESERVED, "kid", "alg", "typ"])
def test_a_reserved_claim_is_refused(booted, aws, name):
    """The issuer vouches for these claims, so the caller must not set them."""
    assert refused(aws, {**GOOD, "claims": {name: "x"}}) == f"claims.{name}: is reserved"


@pytest.mark.parametrize("is_http", [True, False], ids=["http", "direct"])
@pytest.mark.parametrize(
    ("field", "json_text"),
    [
        ("subject", r'"\ud800"'),
        ("claims", r'{"x":"\ud800"}'),
        ("claims", r'{"x":["a",{"y":"\udfff"}]}'),
        ("claims", r'{"\ud800":"x"}'),
        ("claims", r'{"x":NaN}'),
        ("claims", r'{"x":-Infinity}'),
        ("claims", r'{"x":1e999}'),
        ("claims", '{"x":' + "[" * 500 + "]" * 500 + "}"),
    ],
    ids=lambda value: value[:20],
)
def test_a_value_that_no_token_can_contain_is_refused(booted, aws, field, json_text, is_http):
    """UTF-8 has no lone surrogates and JSON no NaN; 200 levels are the most."""
    if is_http:
        body = f'{{"subject":"user-1",{json.dumps(field)}:{json_text}}}'
        if field == "subject":
            body = f'{{"subject":{json_text}}}'
        assert refused(aws, body).startswith(("body", field))
    else:
        answer = invoke(issue_token, {**DIRECT, field: json.loads(json_text)})
        assert answer["error"] == "invalid_request"
        assert answer["error_description"].startswith(field)


@pytest.mark.parametrize(
    "body",
    [
        *("x" * size for size in (32 * 1024 + 1, 40 * 1024, 400 * 1024)),
        '{"subject":"user-1","claims":{"x":"' + "🔑" * 8192 + '"}}',
    ],
    ids=len,
)
def test_a_body_over_32_kb_is_refused(booted, aws, body):
    """Bytes count, not characters, and nothing is parsed before."""
    assert refused(aws, body) == TOO_LARGE


def test_an_invalid_base64_body_is_refused(booted, aws):
    """The body is named."""
    assert refused(aws, "!", isBase64Encoded=True) == "body: is not base64"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *(("y" * size, "the token") for size in (5700, 6100, 30_000)),
        ("🔑" * 700, "the authorizer's answer"),
    ],
    ids=["just too large", "larger", "much larger", "larger when escaped"],
)
def test_a_token_or_answer_over_8_kb_is_refused(booted, aws, text, problem):
    """Our verifier takes no larger token; a WebSocket API takes no larger answer about one.

    A character that JSON escapes has twelve bytes in that answer, and four in the token.
    """
    assert refused(aws, {**GOOD, "claims": {"x": text}}) == (
        f"claims: make {problem} larger than 8192 bytes"
    )


def test_a_token_of_just_8_kb_is_issued(booted):
    """The largest token has 8,192 bytes, or up to two less, as base64 has it."""
    answers = [issue(x="y" * size) for size in range(5690, 5690 - 300, -1)]
    sizes = [len(answer["access_token"]) for answer in answers if "access_token" in answer]
    assert len(sizes) < len(answers)
    assert 8192 - 2 <= max(sizes) <= 8192


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (GOOD, "client"),
        ({**GOOD, "client": 5}, "client"),
        ({"client": "batch-1"}, "subject"),
        ({**DIRECT, "client_id": "x"}, "client_id"),
        ({**DIRECT, "note": "x"}, "note"),
        ({**DIRECT, "lifetime": True}, "lifetime"),
        ({**DIRECT, "claims": {"exp": 1}}, "claims.exp"),
    ],
)
def test_an_invalid_direct_invoke_is_refused_without_an_envelope(booted, aws, event, field):
    """The body alone says what is wrong."""
    answer = invoke(issue_token, event)
    assert answer["error"] == "invalid_request"
    assert answer["error_description"].startswith(f"{field}: ")
    assert "kms:Sign" not in aws.operations


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"lifetime": "s3cret-value"}, "invalid_request"),
        ({"audience": "s3cret-value"}, "invalid_target"),
        ({"scope": "s3cret-value"}, "invalid_scope"),
        ({"claims": {"exp": "s3cret-value"}}, "invalid_request"),
        ({"subject": ["s3cret-value"]}, "invalid_request"),
    ],
)
def test_a_refusal_never_shows_the_value(booted, aws, printed, changes, error):
    """It may be a secret: neither the answer nor the log repeats it."""
    assert "s3cret-value" not in refused(aws, {**GOOD, **changes}, error)
    assert "s3cret-value" not in printed()
