"""`grant_type=client_credentials` as a form (RFC 6749 section 4.4), signed by IAM instead of a secret."""

import base64
from urllib.parse import urlencode

import jwt
import pytest

from tests.unit.api.requests import request_token
from tests.unit.stage import declare

FORM = "application/x-www-form-urlencoded"
GOOD = {"grant_type": "client_credentials", "resource": "orders"}
BILLING = "https://billing.example"
DEFAULT_AUDIENCE = {"grant_type": "client_credentials"}


@pytest.fixture(autouse=True)
def reports(booted, cloud):
    """The client `reports`, which may have two audiences."""
    declare(cloud, "reports", audiences=["orders", BILLING], scopes=["orders:read"])


def post_form(form, client="reports", *, content_type=FORM, **event):
    """Send a form; returns status and body."""
    text = form if isinstance(form, str) else urlencode(form)
    return request_token(text, client, **{"headers": {"content-type": content_type}, **event})


def claims_of(body):
    """The claims of the token in an answer."""
    return jwt.decode(body["access_token"], options={"verify_signature": False})


def test_the_subject_is_the_client():
    """The answer is that of RFC 6749 section 5.1, with the requested scope."""
    status, body = post_form({**GOOD, "scope": "orders:read"})
    assert (status, body["token_type"], body["scope"]) == (200, "Bearer", "orders:read")
    claims = claims_of(body)
    assert (claims["sub"], claims["client_id"], claims["aud"]) == ("reports", "reports", "orders")


@pytest.mark.parametrize("names", [["resource"], ["audience"], ["resource", "audience"]])
def test_the_audience_has_two_names(names):
    """`resource` is from RFC 8707; many clients send `audience`; both are valid if they agree."""
    _, body = post_form({**DEFAULT_AUDIENCE, **dict.fromkeys(names, BILLING)})
    assert claims_of(body)["aud"] == BILLING


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": f"{FORM}; charset=UTF-8"},
        {"content-type": "Application/X-WWW-Form-URLencoded"},
        {"content-type": f" {FORM} ;charset=utf-8"},
        {"Accept": "*/*", "Content-Type": FORM},
    ],
)
def test_the_content_type_has_parameters_and_any_case(headers):
    """API Gateway passes it on as it was sent."""
    assert post_form(GOOD, headers=headers)[0] == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_a_body_of_another_content_type_is_json(content_type):
    """The content type decides; nothing is guessed from the body."""
    status, body = post_form(GOOD, content_type=content_type)
    assert (status, body["error"]) == (400, "invalid_request")
    assert body["error_description"].startswith("body: is not a JSON object")


def test_a_form_in_base64_is_read():
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
        (DEFAULT_AUDIENCE, "invalid_target", "audience"),
        ({**GOOD, "audience": BILLING}, "invalid_target", "resource"),
        (f"{urlencode(GOOD)}&resource=orders", "invalid_target", "resource"),
        (f"{urlencode(GOOD)}&scope=&scope=orders:read", "invalid_request", "scope"),
        (f"{urlencode(GOOD)}&x=1&x=1", "invalid_request", "x"),
        (f"{urlencode(GOOD)}&%22=1&%22=1", "invalid_request", "body"),
        ("grant_type", "invalid_request", "body"),
        ("grant_type=%ff", "invalid_request", "body"),
        ("&".join(f"a{n}=1" for n in range(101)), "invalid_request", "body"),
    ],
)
def test_an_invalid_form_is_refused(aws, form, error, field):
    """The answer has RFC 6749's code and the parameter's name; nothing is signed."""
    status, body = post_form(form)
    assert (status, body["error"]) == (400, error)
    assert body["error_description"].startswith(f"{field}: ")
    assert "kms:Sign" not in aws.operations


def test_unknown_and_empty_parameters_are_ignored():
    """An empty parameter counts as omitted (RFC 6749 section 3.2)."""
    form = {**GOOD, "client_id": "reports", "client_secret": "x", "scope": "", "subject": "root"}
    status, body = post_form(form)
    assert (status, claims_of(body)["sub"], "scope" in body) == (200, "reports", False)


def test_the_client_must_be_one_of_its_own_subjects(cloud):
    """The grant issues a token about the client itself."""
    declare(cloud, "reports", subjects=["user-1"])
    status, body = post_form(DEFAULT_AUDIENCE)
    assert (status, body["error_description"].partition(":")[0]) == (400, "subject")
