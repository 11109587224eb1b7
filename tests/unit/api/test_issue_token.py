"""Issue a token: one `kms:Sign`, one strict token; over HTTP and by direct invoke."""

import base64
import json
from dataclasses import replace

import pytest

from keyturn.api import issue_token
from keyturn.keyset.transitions import revoke
from keyturn.tokens.claims import Expectations, check_claims
from keyturn.tokens.jws import UnverifiedToken
from keyturn.tokens.verify import verify_signature
from tests.unit.api.requests import check_silent, logged, post, request_token
from tests.unit.changes import change
from tests.unit.stage import active_key, declare, invoke, standby_key, truth

REQUEST = {"subject": "user-1"}


def claims_of(booted, cloud, token, audience="orders"):
    """The claims of a token that the active key has signed."""
    active = active_key(truth(cloud))
    parsed, now = UnverifiedToken.parse(token), booted.clock.now().timestamp()
    assert parsed.kid == active.kid
    claims = verify_signature(parsed, booted.kms.public_jwk(active.kms_key_arn).public_key())
    expected = Expectations(booted.settings.issuer, audience, 0)
    check_claims(claims, expected, lifetime=active.lifetime, now=now)
    return claims


def unavailable() -> str:
    """Insist on a 503 that may be tried again; returns its description."""
    answer = post(REQUEST)
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "1"
    assert answer["headers"]["Cache-Control"] == "no-store"
    body = json.loads(answer["body"])
    assert body["error"] == "temporarily_unavailable"
    return body["error_description"]


def test_a_token_over_http(booted, cloud, clock):
    """The client is that of the path; scope and lifetime are as requested."""
    request = {"subject": "user-1", "scope": "orders:read", "lifetime": 10, "claims": {"tenant": 7}}
    answer = post(request)
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    assert (answer["statusCode"], answer["headers"]) == (200, headers)
    body = json.loads(answer["body"])
    token, now = body.pop("access_token"), int(clock.now().timestamp())
    assert body == {"token_type": "Bearer", "expires_in": 10, "scope": "orders:read"}
    assert claims_of(booted, cloud, token) == {
        "iss": booted.settings.issuer,
        "sub": "user-1",
        "aud": "orders",
        "exp": now + 10,
        "iat": now,
        "nbf": now,
        "jti": "id-1",
        "client_id": "shop",
        "scope": "orders:read",
        "tenant": 7,
    }


def test_the_defaults(booted, cloud):
    """They are the client's only audience, the key's own lifetime, and no scope."""
    _, body = request_token(REQUEST)
    claims = claims_of(booted, cloud, body["access_token"])
    assert (claims["aud"], claims["exp"] - claims["iat"], body["expires_in"]) == ("orders", 15, 15)
    assert ("scope" in body, "scope" in claims) == (False, False)


def test_a_token_by_direct_invoke(booted, cloud):
    """The event names the client, and the answer has no envelope."""
    scopes = ["orders:read", "orders:write"]
    declare(cloud, "batch-1", audiences=["orders", "billing"], scopes=scopes, subjects="any")
    event = {"client": "batch-1", "audience": "billing", "scope": " ".join(scopes), **REQUEST}
    answer = invoke(issue_token, event)
    claims = claims_of(booted, cloud, answer["access_token"], "billing")
    assert (claims["client_id"], claims["aud"]) == ("batch-1", "billing")
    assert (answer["token_type"], claims["scope"]) == ("Bearer", "orders:read orders:write")


def test_a_base64_body_is_read(booted):
    """API Gateway may send the body that way."""
    body = base64.b64encode(b'{"subject":"user-1"}').decode()
    assert request_token(body, isBase64Encoded=True)[0] == 200


def test_a_warm_container_makes_one_call(booted, aws, cloud):
    """It is kms:Sign, with the active key."""
    post(REQUEST)
    aws.reset()
    for _ in range(3):
        post(REQUEST)
    assert aws.operations == ["kms:Sign"] * 3
    active = active_key(truth(cloud))
    assert {call["KeyId"] for call in aws.params("kms:Sign")} == {active.kms_key_arn}


def test_the_lifetime_is_the_key_s_own(booted, container):
    """A new setting of the token lifetime does not affect keys that are already registered."""
    container(times=replace(booted.times, token_lifetime=5))
    assert request_token(REQUEST)[1]["expires_in"] == 15


def test_without_ssm_tokens_are_issued_while_the_view_is_fresh(booted, aws, clock):
    """Beyond C the key may have been superseded, and its tokens could outlive it: 503."""
    post(REQUEST)
    outage = aws.fail("ssm:*", aws.timeout, times=999)
    clock.advance(1)
    assert request_token(REQUEST)[0] == 200
    clock.advance(0.001)
    assert unavailable() == "the keyset cannot be read"
    outage.end()
    clock.advance(2)
    assert request_token(REQUEST)[0] == 200


def test_a_cold_container_without_ssm_answers_503(booted, aws):
    """It is no 500: the caller may try again."""
    aws.fail("ssm:*", aws.timeout, times=999)
    assert unavailable() == "the keyset cannot be read"


def test_without_an_active_key_there_is_no_token(booted, cloud, aws):
    """A keyset without an active key is legal; the issuer never signs with a revoked key."""
    kids = [key.kid for key in truth(cloud).keys]
    change(booted, revoke, kids, times=booted.times, limits=booted.limits)
    assert unavailable() == "no key is active"
    assert "kms:Sign" not in aws.operations


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "DisabledException", "KMSInternalException", "AccessDenied"]
)
def test_an_error_of_kms_is_503(booted, aws, code):
    """The description names it."""
    aws.fail("kms:Sign", aws.error(code), times=9)
    assert unavailable() == f"KMS cannot sign ({code})"


def test_a_timeout_of_kms_is_503(booted, aws):
    """botocore has tried twice by then."""
    aws.fail("kms:Sign", aws.timeout, times=9)
    assert unavailable() == "KMS cannot sign (ReadTimeoutError)"
    assert aws.attempts.count("kms:Sign") == 2


def test_a_direct_invoke_gets_the_same_error_without_the_envelope(booted, aws):
    """The error is in the body."""
    aws.fail("kms:Sign", aws.error("ThrottlingException"))
    assert invoke(issue_token, {"client": "batch-1", **REQUEST}) == {
        "error": "temporarily_unavailable",
        "error_description": "KMS cannot sign (ThrottlingException)",
    }


def test_if_kms_has_disabled_the_key_the_keyset_is_read_again(booted, cloud, aws):
    """It was revoked after the view was read: the token is signed by the key that is now active."""
    post(REQUEST)
    old, new = active_key(truth(cloud)), standby_key(truth(cloud))
    change(booted, revoke, [old.kid], times=booted.times, limits=booted.limits)
    aws.reset()
    aws.fail("kms:Sign", aws.error("DisabledException"))
    assert request_token(REQUEST)[0] == 200
    arns = [call["KeyId"] for call in aws.params("kms:Sign")]
    assert arns == [old.kms_key_arn, new.kms_key_arn]


def test_each_token_has_one_audit_line(booted, printed, cloud, caplog, clock):
    """It has what CloudTrail is checked against and the caller, but no part of the token."""
    _, body = request_token({**REQUEST, "scope": "orders:read"})
    [line] = logged(printed, "token_issued")
    expected = {
        "jti": "id-1",
        "kid": active_key(truth(cloud)).kid,
        "sub": "user-1",
        "exp": int(clock.now().timestamp()) + 15,
        "client": "shop",
        "role": "arn:aws:iam::123456789012:role/Shop",
        "session": "session",
    }
    assert {name: line[name] for name in expected} == expected
    check_silent(printed, caplog, body["access_token"])


def test_without_a_token_there_is_no_audit_line(booted, aws, printed):
    """A line means that a token was issued."""
    aws.fail("kms:Sign", aws.error("ThrottlingException"))
    post(REQUEST)
    assert [entry["message"] for entry in logged(printed)] == ["cannot_sign", "token_refused"]
