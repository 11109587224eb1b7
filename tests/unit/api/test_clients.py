"""IAM says who may ask as a client, the client's document what it may have."""

import json
from typing import Any

import pytest

from keyturn.api import issue_token
from tests.unit.api.requests import logged, post
from tests.unit.stage import declare, invoke

ROLE = "arn:aws:sts::123456789012:assumed-role/Shop/9f3a"


def ask(client="shop", *, arn=ROLE, path=None, event=(), **fields):
    """Ask as a client over HTTP; the status and the parsed body come back."""
    answer = post(
        fields, client, arn, **({"path": path} if path is not None else {}), **dict(event)
    )
    return answer["statusCode"], json.loads(answer["body"])


def refused_line(printed) -> dict[str, Any]:
    """The audit line of the one refusal."""
    [line] = [entry for entry in logged(printed) if entry["message"] == "token_refused"]
    return line


def test_a_client_without_a_document_gets_nothing(booted, aws):
    """403 `unauthorized_client`, whatever it asks for."""
    status, body = ask("nobody", subject="user-1")
    assert (status, body["error"]) == (403, "unauthorized_client")
    assert "kms:Sign" not in aws.operations


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "../keyset/000000000001", "a b", "a%62", "ä", "-a", "a" * 65, "a\n"],
)
def test_what_is_no_client_name_is_no_parameter_name(booted, aws, printed, name):
    """403 without a call of SSM; the audit line does not repeat the name."""
    status, body = ask(name, subject="user-1")
    assert (status, body["error"]) == (403, "unauthorized_client")
    assert "ssm:GetParameters" not in aws.operations
    assert "client" not in refused_line(printed)


def test_a_client_is_spelled_as_it_is_called(booted):
    """IAM decided about the path as it was sent: one that is encoded names another resource."""
    status, body = ask("shop", path="/token/%73hop", subject="user-1")
    assert (status, body["error"]) == (403, "unauthorized_client")


def test_a_caller_without_an_arn_gets_nothing(booted):
    """A route without IAM auth is a mistake of ours that must not issue tokens."""
    for arn in (None, "", 5):
        assert ask(arn=arn, subject="user-1")[0] == 403
    assert ask(event={"requestContext": {}}, subject="user-1")[0] == 403


def test_a_direct_invoke_obeys_the_same_document(booted, cloud):
    """It names the client, and gets no more than that client may have."""
    declare(cloud, "narrow", subjects=["user-1"])
    good = invoke(issue_token, {"client": "narrow", "subject": "user-1"})
    assert "access_token" in good
    for event, error in (
        ({"client": "narrow", "subject": "user-2"}, "invalid_request"),
        ({"client": "nobody", "subject": "user-1"}, "unauthorized_client"),
        ({"client": "../keyset", "subject": "user-1"}, "unauthorized_client"),
    ):
        assert invoke(issue_token, event)["error"] == error


def test_a_change_of_the_document_counts_after_c(booted, cloud, clock):
    """Narrowed, then removed: at once for a container without a view, after C for the others."""
    assert ask(subject="user-1", scope="orders:read")[0] == 200
    declare(cloud, "shop", subjects="any")
    assert ask(subject="user-1", scope="orders:read")[0] == 200
    clock.advance(1.001)
    assert ask(subject="user-1", scope="orders:read")[1]["error"] == "invalid_scope"
    cloud.ssm.delete(["/keyturn/demo/clients/shop"])
    clock.advance(1.001)
    assert ask(subject="user-1")[1]["error"] == "unauthorized_client"


def test_a_removed_client_gets_no_second_signature(booted, cloud, aws, clock):
    """Between two attempts to sign (the first key was disabled) the document is read again."""

    def remove():
        cloud.ssm.delete(["/keyturn/demo/clients/shop"])
        clock.advance(1.001)

    ask(subject="user-1")
    aws.meanwhile("kms:Sign", remove)
    aws.fail("kms:Sign", aws.error("DisabledException"))
    assert ask(subject="user-1")[1]["error"] == "unauthorized_client"


def test_a_document_that_cannot_be_read_is_503(booted, cloud, aws, clock):
    """It may be our fault, so the caller tries again; the last good view counts up to C, no longer."""
    ask(subject="user-1")
    declare(cloud, "shop", audiences=[])
    clock.advance(1.001)
    status, body = ask(subject="user-1")
    assert (status, body["error"]) == (503, "temporarily_unavailable")
    assert body["error_description"] == "the client's document cannot be read"


def test_a_warm_container_reads_a_document_once_per_c(booted, aws, clock):
    """Two clients, two reads per C; in between none."""
    for client in ("shop", "batch-1"):
        ask(client, subject="user-1")
    aws.reset()
    for client in ("shop", "batch-1") * 3:
        ask(client, subject="user-1")
    assert aws.operations == ["kms:Sign"] * 6
    clock.advance(1.001)
    aws.reset()
    for client in ("shop", "batch-1") * 3:
        ask(client, subject="user-1")
    assert aws.operations.count("ssm:GetParameters") == 3  # the keyset, and two documents


@pytest.mark.parametrize(
    ("arn", "role", "session"),
    [
        (ROLE, "arn:aws:iam::123456789012:role/Shop", "9f3a"),
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
def test_the_audit_line_folds_a_session_to_its_role(booted, printed, arn, role, session):
    """So that one role is one name, whatever its sessions are called."""
    ask(arn=arn, subject="user-1")
    [line] = [entry for entry in logged(printed) if entry["message"] == "token_issued"]
    assert (line["client"], line["role"], line.get("session")) == ("shop", role, session)


def test_a_refusal_leaves_a_line_without_what_was_asked_for(booted, printed):
    """Client, role, session and code; no claim, subject or scope."""
    ask(subject="s3cret-subject", scope="s3cret-scope", claims={"x": "s3cret"})
    line = refused_line(printed)
    assert (line["client"], line["code"]) == ("shop", "invalid_scope")
    assert (line["role"], line["session"]) == ("arn:aws:iam::123456789012:role/Shop", "9f3a")
    assert "s3cret" not in printed()


def test_metrics_name_the_caller_without_a_dimension(booted, printed):
    """Each value of a dimension is a metric to pay for: client, role and session are properties."""
    ask(subject="user-1")
    ask("nobody")
    lines = [json.loads(line) for line in printed().splitlines() if "_aws" in line]
    issued, refused = (
        next(line for line in lines if name in line) for name in ("TokensIssued", "TokensRefused")
    )
    for line in (issued, refused):
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["service"]]
        assert line["role"] == "arn:aws:iam::123456789012:role/Shop"
    assert (issued["client"], refused["client"]) == ("shop", "nobody")
