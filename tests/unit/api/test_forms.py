"""`grant_type=client_credentials` as a form (RFC 6749 section 4.4), signed by IAM instead of a secret."""

import base64
import json
from urllib.parse import urlencode

import jwt
import pytest

from tests.unit.api.requests import post
from tests.unit.stage import declare

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def reports(booted, cloud):
    """The client `reports`, which may have two audiences."""
    declare(
        cloud, "reports", audiences=["orders", "https://billing.example"], scopes=["orders:read"]
    )


def post_form(form, client="reports", *, content_type=FORM, **event):
    """Send a form; status and body come back."""
    text = form if isinstance(form, str) else urlencode(form)
    caller = "arn:aws:iam::1:user/jo"
    answer = post(text, client, caller, **{"headers": {"content-type": content_type}, **event})
    assert answer["headers"]["Cache-Control"] == "no-store"
    return answer["statusCode"], json.loads(answer["body"])


def claims_of(body):
    """What the token says."""
    return jwt.decode(body["access_token"], options={"verify_signature": False})


GOOD = {"grant_type": "client_credentials", "resource": "orders"}


def test_the_subject_is_the_client(reports):
    """The answer is RFC 6749 section 5.1's, with the scope that was asked for."""
    status, body = post_form({**GOOD, "scope": "orders:read"})
    assert (status, body["token_type"], body["scope"]) == (200, "Bearer", "orders:read")
    claims = claims_of(body)
    assert (claims["sub"], claims["client_id"], claims["aud"]) == ("reports", "reports", "orders")


@pytest.mark.parametrize("name", ["resource", "audience"])
def test_the_audience_by_either_name(reports, name):
    """`resource` is RFC 8707's, `audience` what many clients send; both are fine if they agree."""
    form = {"grant_type": "client_credentials", name: "https://billing.example"}
    assert claims_of(post_form(form)[1])["aud"] == "https://billing.example"
    both = {**form, "resource": "https://billing.example", "audience": "https://billing.example"}
    assert post_form(both)[0] == 200


@pytest.mark.parametrize(
    "content_type",
    [f"{FORM}; charset=UTF-8", "Application/X-WWW-Form-URLencoded", f" {FORM} ;charset=utf-8"],
)
def test_the_content_type_decides(reports, content_type):
    """With parameters, in any case."""
    assert post_form(GOOD, content_type=content_type)[0] == 200


def test_the_headers_name_has_any_case(reports):
    """API Gateway passes it on as it was sent."""
    assert post_form(GOOD, headers={"Accept": "*/*", "Content-Type": FORM})[0] == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_without_that_content_type_a_body_is_json(reports, content_type):
    """Nothing guesses."""
    status, body = post_form(GOOD, content_type=content_type)
    assert (status, body["error"]) == (400, "invalid_request")
    assert body["error_description"].startswith("body: is not a JSON object")


def test_a_form_in_base64_is_read(reports):
    """API Gateway may send it that way."""
    encoded = base64.b64encode(urlencode(GOOD).encode()).decode()
    assert post_form(encoded, isBase64Encoded=True)[0] == 200


@pytest.mark.parametrize(
    ("form", "error", "field"),
    [
        ("", "invalid_request", "grant_type"),
        ("grant_type=", "invalid_request", "grant_type"),
        ({"resource": "orders"}, "invalid_request", "grant_type"),
        ({**GOOD, "grant_type": "password"}, "unsupported_grant_type", "grant_type"),
        ({**GOOD, "client_id": "shop"}, "invalid_request", "client_id"),
        ({**GOOD, "scope": "admin"}, "invalid_scope", "scope"),
        ({**GOOD, "resource": "https://x"}, "invalid_target", "audience"),
        ({"grant_type": "client_credentials"}, "invalid_target", "audience"),
        ({**GOOD, "audience": "https://billing.example"}, "invalid_target", "resource"),
        (f"{urlencode(GOOD)}&resource=orders", "invalid_target", "resource"),
        (f"{urlencode(GOOD)}&scope=&scope=orders:read", "invalid_request", "scope"),
        (f"{urlencode(GOOD)}&x=1&x=1", "invalid_request", "x"),
        (f"{urlencode(GOOD)}&%22=1&%22=1", "invalid_request", "body"),
        ("grant_type", "invalid_request", "body"),
        ("grant_type=%ff", "invalid_request", "body"),
        ("&".join(f"a{n}=1" for n in range(101)), "invalid_request", "body"),
    ],
)
def test_a_form_that_is_refused(reports, aws, form, error, field):
    """With RFC 6749's code and the parameter's name; nothing is signed."""
    status, body = post_form(form)
    assert (status, body["error"]) == (400, error)
    assert body["error_description"].startswith(f"{field}: ")
    assert "kms:Sign" not in aws.operations


def test_what_a_form_leaves_open(reports):
    """Unknown parameters are ignored, empty ones count as left out (RFC 6749 section 3.2)."""
    form = {**GOOD, "client_id": "reports", "client_secret": "x", "scope": "", "subject": "root"}
    status, body = post_form(form)
    assert (status, claims_of(body)["sub"]) == (200, "reports")
    assert "scope" not in body


def test_a_client_that_may_not_be_itself_gets_no_such_token(reports, cloud):
    """The grant is for the client's own sake."""
    declare(cloud, "reports", subjects=["user-1"])
    status, body = post_form({"grant_type": "client_credentials"})
    assert (status, body["error_description"].partition(":")[0]) == (400, "subject")


def test_a_client_without_a_document_gets_none(reports):
    """As with JSON."""
    assert post_form(GOOD, "nobody")[1]["error"] == "unauthorized_client"
