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
from tests.unit.api.requests import logged, post, silent
from tests.unit.stage import active_key, declare, invoke, standby_key, truth


def direct(**event):
    """A direct invoke of the function."""
    return invoke(issue_token, {"client": "batch-1", **event})


def claims_of(booted, cloud, clock, token, audience="orders"):
    """The claims of a token that the active key really signed."""
    active = active_key(truth(cloud))
    public = booted.kms.public_jwk(active.kms_key_arn).public_key()
    expected = Expectations(booted.settings.issuer, audience, 0)

    parsed, now = UnverifiedToken.parse(token), clock.now().timestamp()
    assert parsed.kid == active.kid
    claims = verify_signature(parsed, public)
    check_claims(claims, expected, lifetime=active.lifetime, now=now)
    return claims


def test_a_token_over_http(booted, cloud, clock):
    """The client is the path's; scope and lifetime are as asked; the answer is not cached."""
    answer = post(
        {"subject": "user-1", "scope": "orders:read", "lifetime": 10, "claims": {"tenant": 7}}
    )
    assert (answer["statusCode"], answer["headers"]) == (
        200,
        {"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
    body = json.loads(answer["body"])
    token, now = body.pop("access_token"), int(clock.now().timestamp())
    assert body == {"token_type": "Bearer", "expires_in": 10, "scope": "orders:read"}
    assert claims_of(booted, cloud, clock, token) == {
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


def test_the_defaults(booted, cloud, clock):
    """The client's only audience, the key's own lifetime, and no scope, in the answer neither."""
    body = json.loads(post({"subject": "user-1"})["body"])
    claims = claims_of(booted, cloud, clock, body["access_token"])
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (
        "orders",
        active_key(truth(cloud)).lifetime,
    )
    assert (body["expires_in"], "scope" in body, "scope" in claims) == (15, False, False)


def test_a_token_by_direct_invoke(booted, cloud, clock):
    """The request says which client it is, and the answer comes without an envelope."""
    declare(
        cloud,
        "batch-1",
        audiences=["orders", "billing"],
        scopes=["orders:read", "orders:write"],
        subjects="any",
    )
    answer = direct(subject="user-1", audience="billing", scope="orders:read orders:write")
    claims = claims_of(booted, cloud, clock, answer["access_token"], "billing")
    assert (claims["client_id"], claims["aud"]) == ("batch-1", "billing")
    assert (answer["token_type"], claims["scope"]) == ("Bearer", "orders:read orders:write")


def test_a_base64_body_is_read(booted):
    """API Gateway may send the body that way."""
    body = base64.b64encode(b'{"subject":"user-1"}').decode()
    assert post(body, isBase64Encoded=True)["statusCode"] == 200


def test_a_warm_container_makes_one_call(booted, aws, cloud):
    """kms:Sign, with the active key, RAW; the keyset is known."""
    post({"subject": "user-1"})
    active = active_key(truth(cloud))
    aws.reset()
    for _ in range(3):
        post({"subject": "user-1"})
    assert aws.operations == ["kms:Sign"] * 3
    assert {call["KeyId"] for call in aws.params("kms:Sign")} == {active.kms_key_arn}


def test_a_large_token_is_signed_by_its_digest(booted, aws):
    """More than 4,096 bytes are signed by their SHA-256, up to a token of 8 KB."""
    assert post({"subject": "user-1", "claims": {"x": "y" * 4000}})["statusCode"] == 200
    [call] = aws.params("kms:Sign")
    assert (call["MessageType"], len(call["Message"])) == ("DIGEST", 32)


def test_the_lifetime_is_the_keys_own(booted, container):
    """Deploying another token lifetime changes nothing for keys that are registered already."""
    container(times=replace(booted.times, token_lifetime=5))
    assert json.loads(post({"subject": "user-1"})["body"])["expires_in"] == 15


def test_without_ssm_tokens_are_issued_while_the_view_is_fresh(booted, aws, clock):
    """Up to the age of C the keyset in hand is good enough; nobody waits for SSM on the way."""
    post({"subject": "user-1"})
    aws.fail("ssm:*", aws.timeout, times=999)
    clock.advance(1)
    assert post({"subject": "user-1"})["statusCode"] == 200


def test_without_ssm_and_a_fresh_view_none_is(booted, aws, clock):
    """Beyond C the key may have been superseded: its tokens could outlive it. 503, then again."""
    post({"subject": "user-1"})
    down = aws.fail("ssm:*", aws.timeout, times=999)
    clock.advance(1.001)
    assert unavailable(post({"subject": "user-1"})) == "the keyset cannot be read"
    down.end()
    clock.advance(2)
    assert post({"subject": "user-1"})["statusCode"] == 200


def test_a_container_that_never_saw_the_keyset_answers_503(booted, aws):
    """SSM down from the start is no reason for a 500."""
    aws.fail("ssm:*", aws.timeout, times=999)
    assert unavailable(post({"subject": "user-1"})) == "the keyset cannot be read"


def test_without_an_active_key_there_is_no_token(booted, cloud, origin, aws):
    """A keyset without a signer is legal: 503, never a token of a revoked key."""
    kids = [key.kid for key in truth(cloud).keys]
    booted.keysets.update(
        lambda keyset, now: revoke(keyset, kids, now, times=booted.times, limits=booted.limits),
        origin,
    )
    aws.reset()
    assert unavailable(post({"subject": "user-1"})) == "no key is active"
    assert "kms:Sign" not in aws.operations


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "DisabledException", "KMSInternalException", "AccessDenied"]
)
def test_kms_trouble_is_503(booted, aws, code):
    """The caller is told to try again, and which KMS error it was."""
    aws.fail("kms:Sign", aws.error(code), times=9)
    assert unavailable(post({"subject": "user-1"})) == f"KMS cannot sign ({code})"


def test_a_key_that_kms_has_disabled_is_looked_up_again(booted, cloud, origin, aws):
    """Revoked behind our fresh view: the caller gets a token of the key that signs now."""
    post({"subject": "user-1"})
    old, new = active_key(truth(cloud)), standby_key(truth(cloud))
    booted.keysets.update(
        lambda keyset, now: revoke(
            keyset, [old.kid], now, times=booted.times, limits=booted.limits
        ),
        origin,
    )
    aws.reset()
    aws.fail("kms:Sign", aws.error("DisabledException"))
    assert post({"subject": "user-1"})["statusCode"] == 200
    assert [call["KeyId"] for call in aws.params("kms:Sign")] == [
        old.kms_key_arn,
        new.kms_key_arn,
    ]


def test_kms_without_an_answer_is_503(booted, aws):
    """Timeouts, too, after botocore's own attempts."""
    aws.fail("kms:Sign", aws.timeout, times=9)
    assert unavailable(post({"subject": "user-1"})) == "KMS cannot sign (ReadTimeoutError)"
    assert aws.attempts.count("kms:Sign") == 2


def test_trouble_by_direct_invoke_is_answered_alike(booted, aws):
    """Without the envelope."""
    aws.fail("kms:Sign", aws.error("ThrottlingException"))
    assert direct(subject="user-1") == {
        "error": "temporarily_unavailable",
        "error_description": "KMS cannot sign (ThrottlingException)",
    }


def unavailable(answer) -> str:
    """The description of a 503 that may be tried again."""
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "1"
    assert answer["headers"]["Cache-Control"] == "no-store"
    body = json.loads(answer["body"])
    assert body["error"] == "temporarily_unavailable"
    return body["error_description"]


def test_the_audit_line(booted, printed, cloud, caplog, clock):
    """One line per token: what CloudTrail is checked against, who asked; nothing of the token."""
    token = json.loads(post({"subject": "user-1", "scope": "orders:read"})["body"])["access_token"]
    [line] = [entry for entry in logged(printed) if entry["message"] == "token_issued"]
    named = ("jti", "kid", "sub", "exp", "client", "role", "session")
    assert {name: line[name] for name in named} == {
        "jti": "id-1",
        "kid": active_key(truth(cloud)).kid,
        "sub": "user-1",
        "exp": int(clock.now().timestamp()) + 15,
        "client": "shop",
        "role": "arn:aws:iam::123456789012:role/Shop",
        "session": "session",
    }
    silent(printed, caplog, token)


def test_no_token_no_audit_line(booted, aws, printed):
    """A line counts a token that was handed out."""
    aws.fail("kms:Sign", aws.error("ThrottlingException"))
    post({"subject": "user-1"})
    assert [entry["message"] for entry in logged(printed)] == ["cannot_sign", "token_refused"]
