"""A revocation as the API sees it: an issuer with a view behind, an authorizer that is flooded."""

import random
from base64 import urlsafe_b64encode

import pytest

from keyturn.api.answers import Unavailable
from keyturn.tokens.jws import UnverifiedToken
from tests.unit.rotation.stage import api, emergency
from tests.unit.stage import active_key, forge, standby_key, truth


def kid_of(token) -> str:
    """Who signed it."""
    return UnverifiedToken.parse(token).kid


@pytest.fixture
def behind(booted, stack, cloud, times):
    """An API container that has just seen the keyset and is sure of it for half a minute."""
    container = api(stack, times=times)
    assert kid_of(container.issue()) == active_key(truth(cloud)).kid
    return container


def test_the_issuers_view_is_behind(booted, behind, start, cloud, aws):
    """KMS refuses the disabled key: one more look, one more Sign, and a token of the new key."""
    standby = standby_key(truth(cloud)).kid
    emergency(start, active_key(truth(cloud)).kid).until("PublishJwksAfterRevoke")
    aws.reset()
    token = behind.issue()
    assert kid_of(token) == standby
    assert aws.operations == ["kms:Sign", "ssm:GetParameters", "kms:Sign"]
    assert behind.check(token) == "ok"
    aws.reset()
    assert kid_of(behind.issue()) == standby
    assert aws.operations == ["kms:Sign"]


def test_between_the_revocation_and_the_disabling(booted, behind, start, cloud, stack):
    """A view that is behind signs once more with the revoked key, and nobody who looks accepts it."""
    gone = active_key(truth(cloud)).kid
    emergency(start, gone).until("DisableKeys")
    token = behind.issue()
    assert kid_of(token) == gone
    assert api(stack).check(token) == "key_revoked"


def test_no_other_key_is_active(booted, behind, start, cloud, aws):
    """503, after one more read and without a second Sign."""
    emergency(start, active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid).until(
        "PublishJwksAfterRevoke"
    )
    aws.reset()
    with pytest.raises(Unavailable) as raised:
        behind.issue()
    assert raised.value.status == 503
    assert aws.operations == ["kms:Sign", "ssm:GetParameters"]


def test_the_next_key_is_revoked_as_well(booted, behind, start, cloud, aws):
    """The issuer looks again once, not until it finds something."""
    emergency(start, active_key(truth(cloud)).kid).until("PublishJwksAfterRevoke")
    standby = truth(cloud).standby or active_key(truth(cloud))
    aws.reset()
    disabled = aws.error("DisabledException")
    aws.fail("kms:Sign", disabled, nth=2)
    with pytest.raises(Unavailable):
        behind.issue()
    assert aws.operations == ["kms:Sign", "ssm:GetParameters", "kms:Sign"]
    assert kid_of(behind.issue()) == standby.kid


def test_the_truth_cannot_be_read(booted, behind, start, cloud, aws):
    """503: it never goes on with a key that KMS has refused."""
    emergency(start, active_key(truth(cloud)).kid).until("PublishJwksAfterRevoke")
    aws.reset()
    aws.fail("ssm:*", aws.error("AccessDeniedException"), times=float("inf"))
    with pytest.raises(Unavailable):
        behind.issue()
    assert aws.operations.count("kms:Sign") == 1


def test_a_revoked_keys_token_until_the_view_is_too_old(booted, stack, start, cloud, clock):
    """S2: a view of at most C may accept it, an older one looks again and never does."""
    clock.fixed_fraction = 0  # it looks again when C is over, not earlier
    authorizer, token = api(stack), api(stack).issue()
    assert authorizer.check(token) == "ok"
    emergency(start, active_key(truth(cloud)).kid).until("DisableKeys")
    clock.advance(booted.times.view_ttl)
    assert authorizer.check(token) == "ok"
    clock.advance(0.1)
    assert authorizer.check(token) == "key_revoked"


def test_a_flood_of_unknown_kids(booted, stack, times, rsa_key, clock, aws):
    """A thousand of them within C cause no call at all, and good tokens go on."""
    clock.fixed_fraction = 0
    authorizer, seeded = api(stack, times=times), random.Random(7)
    good = api(stack, times=times).issue()
    assert authorizer.check(good) == "ok"
    template = forge(rsa_key, {"alg": "RS256", "kid": "KID", "typ": "at+jwt"}, {}).split(".")
    aws.reset()
    for number in range(1000):
        kid = urlsafe_b64encode(seeded.randbytes(32)).rstrip(b"=").decode()
        header = f'{{"alg":"RS256","kid":"{kid}","typ":"at+jwt"}}'.encode()
        token = ".".join([urlsafe_b64encode(header).rstrip(b"=").decode(), *template[1:]])
        assert authorizer.check(token) == "unknown_kid"
        if number % 10 == 0:
            assert authorizer.check(good) == "ok"
        clock.advance(times.view_ttl / 1000)
    assert aws.operations == []
