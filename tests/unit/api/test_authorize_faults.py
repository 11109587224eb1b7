"""When we are bad: an error, never an Allow, never a Deny that a cache keeps, never a 401."""

import json
from dataclasses import replace

import pytest

from keyturn.api import authorize
from keyturn.api.gateway import UnknownEvent
from keyturn.aws.faults import AccessDenied, AwsFault, KeyUnusable, NoReply, Throttled
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.view import ViewTooOld
from keyturn.keyset import document
from keyturn.keyset.errors import NewerSchema
from keyturn.keyset.model import EndedKey, Keyset
from keyturn.keyset.states import State
from keyturn.tokens.jwk import NotASigningKey
from tests.unit.api import events
from tests.unit.api.requests import mint, silent
from tests.unit.stage import active_key, forge, invoke, settle, standby_key, truth

KINDS = ["token", "request", "http"]


def ask(token, kind="token"):
    """Ask about a token."""
    return invoke(authorize, getattr(events, kind)(f"Bearer {token}"))


@pytest.fixture
def patient(container, booted):
    """A container whose view is fresh for five minutes."""
    return container(times=replace(booted.times, view_ttl=300, stale_limit=300))


@pytest.mark.parametrize("kind", KINDS)
def test_ssm_down_from_the_start_is_a_fault(booted, cloud, aws, kind):
    """A container that knows nothing says so."""
    token = mint(booted, cloud)
    aws.fail("ssm:*", aws.timeout, times=99)
    with pytest.raises(NoReply, match="ssm:GetParametersByPath"):
        ask(token, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_ssm_down_beyond_the_stale_limit_is_a_fault(booted, cloud, aws, clock, kind):
    """Within it good tokens are accepted and revoked keys stay revoked; beyond it nobody gets in."""
    ask(mint(booted, cloud))
    aws.fail("ssm:*", aws.timeout, times=99)
    clock.advance(10)
    assert ask(mint(booted, cloud))["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    clock.advance(0.001)
    with pytest.raises(ViewTooOld):
        ask(mint(booted, cloud), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("KMSInternalException", AwsFault),
        ("ThrottlingException", Throttled),
        ("DisabledException", KeyUnusable),
        ("AccessDeniedException", AccessDenied),
    ],
)
def test_kms_down_is_a_fault(booted, cloud, aws, printed, caplog, kind, code, fault):
    """Without the public key nothing can be said of the token; later it is accepted."""
    token = mint(booted, cloud)
    down = aws.fail("kms:GetPublicKey", aws.error(code), times=99)
    with pytest.raises(fault, match=code):
        ask(token, kind)
    silent(printed, caplog, token)
    down.end()
    assert ask(token, kind)


def test_a_public_key_under_another_kid_is_a_fault(booted, cloud):
    """Somebody writes SSM parameters: that is no reason to accept, nor to refuse, a token."""
    active, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    token = mint(booted, cloud, active)
    swapped = replace(active, kms_key_arn=standby.kms_key_arn)
    settle(cloud, booted, Keyset((swapped,)))
    with pytest.raises(NotASigningKey):
        ask(token)


def test_a_newer_release_s_keyset_is_a_fault(booted, cloud):
    """It stops older containers instead of misleading them."""
    token = mint(booted, cloud)
    parent = document.digest(booted.keysets.read().text)
    text = json.dumps({"schema": 2, "parent": parent})
    cloud.ssm.put("/keyturn/demo/keyset/000000000003", text)
    with pytest.raises(NewerSchema):
        ask(token)


@pytest.mark.parametrize("text", ["{", '{"schema":2}'])
def test_what_does_not_follow_is_ignored(booted, cloud, text):
    """Somebody writes SSM parameters: tokens are accepted as before."""
    cloud.ssm.put("/keyturn/demo/keyset/000000000003", text)
    assert ask(mint(booted, cloud))


def test_a_missing_keyset_is_a_fault(stack, rsa_key):
    """An authorizer without a keyset refuses nobody's token as bad."""
    header = {"alg": "RS256", "kid": "k" * 43, "typ": "at+jwt"}
    with pytest.raises(KeysetMissing):
        invoke(authorize, events.token(f"Bearer {forge(rsa_key, header, {'iss': 'x'})}"))


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"requestContext": {}, "body": "{}"},
        {"type": "TOKEN", "authorizationToken": "Bearer x"},
        {"type": "TOKEN", "methodArn": 7, "authorizationToken": "Bearer x"},
        {"type": "TOKEN", "methodArn": "arn:aws:lambda", "authorizationToken": "Bearer x"},
        {"version": "2.0", "type": "REQUEST", "methodArn": "arn:x/y/z", "headers": {}},
    ],
)
def test_an_event_of_another_kind_is_a_fault(booted, event):
    """The function is wired to something else: nobody is let in or sent away."""
    with pytest.raises(UnknownEvent):
        invoke(authorize, event)


@pytest.mark.parametrize("kind", KINDS)
def test_a_malformed_token_needs_no_keyset(booted, aws, kind):
    """What is no token at all is refused although SSM is down, and costs no call."""
    aws.fail("*", aws.timeout, times=99)
    for header in ("Bearer a.b.c", None):
        if kind == "http":
            assert invoke(authorize, events.http(header)) == {"isAuthorized": False}
        else:
            with pytest.raises(Exception, match=r"^Unauthorized$"):
                invoke(authorize, getattr(events, kind)(header))
    assert aws.operations == []


@pytest.fixture
def strange(rsa_key):
    """A well-formed token of a kid that nobody knows."""
    return lambda kid="k" * 43: forge(
        rsa_key, {"alg": "RS256", "kid": kid, "typ": "at+jwt"}, {"iss": "x"}
    )


def test_unknown_kids_cost_no_read(patient, booted, cloud, strange, aws, clock):
    """However many such tokens arrive within C, and although each has another kid."""
    clock.fixed_fraction = 0
    ask(mint(booted, cloud))
    aws.reset()
    for number in range(60):
        clock.advance(patient.times.view_ttl / 60)
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(strange(f"{number:043d}"))
    assert aws.operations == []


def test_an_unknown_kid_without_ssm_is_a_fault(booted, cloud, strange, aws, clock):
    """Beyond C the kid may be that of a new key: tokens are not refused for our own blindness."""
    ask(mint(booted, cloud))
    aws.fail("ssm:*", aws.timeout, times=99)
    clock.advance(6)
    assert ask(mint(booted, cloud))["principalId"] == "user-1"
    with pytest.raises(ViewTooOld):
        ask(strange())


def test_a_kid_that_is_new_is_known_after_c(patient, booted, cloud, origin, clock):
    """A key that signs at once, unpublished, because no other did, is refused for up to C."""
    ask(mint(booted, cloud))
    key = patient.kms.create()
    kid = patient.kms.public_jwk(key.arn).kid
    now = clock.now()
    new = replace(
        active_key(truth(cloud)), kid=kid, kms_key_arn=key.arn, created=now, activated=now
    )
    ended = tuple(
        EndedKey(old.kid, old.kms_key_arn, State.REVOKED, old.created, now)
        for old in truth(cloud).keys
    )
    patient.keysets.update(lambda *_: Keyset((new,), ended), origin)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(mint(booted, cloud, new))
    clock.advance(patient.times.view_ttl + 0.001)
    assert ask(mint(booted, cloud, new))["principalId"] == "user-1"


def test_faults_show_nothing_of_the_token(booted, cloud, aws, printed, caplog):
    """Neither the exception that Lambda reports, nor anything logged on the way."""
    token = mint(booted, cloud)
    aws.fail("ssm:*", aws.timeout, times=99)
    with pytest.raises(NoReply) as raised:
        ask(token)
    assert token not in repr(raised.value)
    silent(printed, caplog, token)
