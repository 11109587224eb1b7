"""IAM says who may act as a client, the client's document what it may have."""

import json

import pytest

from keyturn.api import issue_token
from tests.unit.api.requests import logged, request_token
from tests.unit.stage import declare, invoke

SESSION = "arn:aws:sts::123456789012:assumed-role/Shop/9f3a"
ROLE = "arn:aws:iam::123456789012:role/Shop"
REQUEST = {"subject": "user-1"}


def error_of(client="shop", request=REQUEST, **event) -> tuple[int, str | None]:
    """Request a token over HTTP; returns the status, and the error's code if there is one."""
    status, body = request_token(request, client, SESSION, **event)
    return status, body.get("error")


def test_a_client_without_a_document_gets_nothing(booted, aws):
    """IAM alone is not enough."""
    assert error_of("nobody") == (403, "unauthorized_client")
    assert "kms:Sign" not in aws.operations


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "../keyset/000000000001", "a b", "a%62", "ä", "-a", "a" * 65, "a\n"],
)
def test_an_invalid_client_name_never_becomes_a_parameter_name(booted, aws, printed, name):
    """SSM is not called, and the audit line does not repeat the name."""
    assert error_of(name) == (403, "unauthorized_client")
    assert "ssm:GetParameters" not in aws.operations
    [line] = logged(printed, "token_refused")
    assert "client" not in line


@pytest.mark.parametrize(
    "event",
    [
        {"path": "/token/%73hop"},
        {"requestContext": {}},
        *({"requestContext": {"identity": {"userArn": arn}}} for arn in (None, "", 5)),
    ],
)
def test_only_a_caller_that_iam_has_authorized_gets_a_token(booted, event):
    """IAM decides by the path as sent, so an encoded one names another resource.

    A route without IAM auth is a mistake that must not issue tokens.
    """
    assert error_of(**event) == (403, "unauthorized_client")


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"client": "narrow", "subject": "user-1"}, None),
        ({"client": "narrow", "subject": "user-2"}, "invalid_request"),
        ({"client": "nobody", "subject": "user-1"}, "unauthorized_client"),
        ({"client": "../keyset", "subject": "user-1"}, "unauthorized_client"),
    ],
)
def test_a_direct_invoke_obeys_the_client_s_document(booted, cloud, event, error):
    """The event names the client."""
    declare(cloud, "narrow", subjects=["user-1"])
    answer = invoke(issue_token, event)
    assert (answer.get("error"), "access_token" in answer) == (error, error is None)


def test_a_change_of_the_document_takes_effect_after_c(booted, cloud, clock):
    """Until then a warm container uses the document it has read."""
    request = {**REQUEST, "scope": "orders:read"}
    assert error_of(request=request) == (200, None)
    declare(cloud, "shop", subjects="any")
    assert error_of(request=request) == (200, None)
    clock.advance(1.001)
    assert error_of(request=request) == (400, "invalid_scope")
    cloud.ssm.delete(["/keyturn/demo/clients/shop"])
    clock.advance(1.001)
    assert error_of() == (403, "unauthorized_client")


def test_a_removed_client_gets_no_second_signature(booted, cloud, aws, clock):
    """Before the second attempt to sign, with another key, the document is read again."""

    def remove():
        cloud.ssm.delete(["/keyturn/demo/clients/shop"])
        clock.advance(1.001)

    error_of()
    aws.meanwhile("kms:Sign", remove)
    aws.fail("kms:Sign", aws.error("DisabledException"))
    assert error_of() == (403, "unauthorized_client")


def test_an_unreadable_document_is_503(booted, cloud, clock):
    """It may be the service's fault, so the caller may try again; the last good view expires at C."""
    error_of()
    declare(cloud, "shop", audiences=[])
    clock.advance(1.001)
    assert request_token(REQUEST) == (
        503,
        {
            "error": "temporarily_unavailable",
            "error_description": "the client's document cannot be read",
        },
    )


def test_a_warm_container_reads_each_document_once_per_c(booted, aws, clock):
    """Two clients cost two reads, and the keyset one."""
    for client in ("shop", "batch-1"):
        error_of(client)
    for reads in (0, 3):
        aws.reset()
        for client in ("shop", "batch-1") * 3:
            error_of(client)
        assert aws.operations.count("ssm:GetParameters") == reads
        assert len(aws.operations) == 6 + reads
        clock.advance(1.001)


@pytest.mark.parametrize(
    ("arn", "role", "session"),
    [
        (SESSION, ROLE, "9f3a"),
        (
            "arn:aws:sts::1:assumed-role/AWSReservedSSO_Ops_0a/jo@example.com",
            "arn:aws:iam::1:role/AWSReservedSSO_Ops_0a",
            "jo@example.com",
        ),
        ("arn:aws:iam::1:user/path/jo", "arn:aws:iam::1:user/path/jo", None),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:root", None),
        ("arn:aws:sts::1:federated-user/jo", "arn:aws:sts::1:federated-user/jo", None),
    ],
)
def test_the_audit_line_names_role_and_session_apart(booted, printed, arn, role, session):
    """A role has one name, whatever its sessions are called."""
    request_token(REQUEST, caller=arn)
    [line] = logged(printed, "token_issued")
    assert (line["client"], line["role"], line.get("session")) == ("shop", role, session)


def test_the_audit_line_of_a_refusal_does_not_repeat_the_request(booted, printed):
    """It has client, role, session and code; no claim, subject or scope."""
    error_of(request={"subject": "s3cret", "scope": "s3cret-scope", "claims": {"x": "s3cret"}})
    [line] = logged(printed, "token_refused")
    assert (line["client"], line["code"]) == ("shop", "invalid_scope")
    assert (line["role"], line["session"]) == (ROLE, "9f3a")
    assert "s3cret" not in printed()


def test_metrics_name_the_caller_without_a_dimension(booted, printed):
    """Each value of a dimension is a metric to pay for, so client, role and session are properties."""
    error_of()
    error_of("nobody")
    lines = [json.loads(line) for line in printed().splitlines() if "_aws" in line]
    for name, client in (("TokensIssued", "shop"), ("TokensRefused", "nobody")):
        [line] = [line for line in lines if name in line]
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["service"]]
        assert (line["role"], line["client"]) == (ROLE, client)
