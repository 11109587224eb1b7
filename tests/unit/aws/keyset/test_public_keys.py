"""Public keys: from KMS once, and only under the kid that certifies them."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import KeyUnusable
from keyturn.tokens.jwk import NotASigningKey


@pytest.fixture
def keys(booted):
    """The active and the standby key."""
    keyset = booted.keysets.read().keyset
    return keyset.active, keyset.standby


def test_a_public_key_is_fetched_once(booted, keys, aws):
    """One GetPublicKey per kid, however often a key is asked for."""
    aws.reset()
    first = [booted.public_keys.get(key) for key in keys]
    assert [booted.public_keys.get(key) for key in keys * 3] == first * 3
    assert aws.operations == ["kms:GetPublicKey"] * 2
    assert first[0].public_numbers() != first[1].public_numbers()


def test_the_key_is_the_one_that_signs(booted, keys, aws):
    """It is taken from the ARN that the keyset names."""
    booted.public_keys.get(keys[0])
    assert aws.params("kms:GetPublicKey") == [{"KeyId": keys[0].kms_key_arn}]


def test_a_key_with_another_thumbprint_is_refused(booted, keys, aws):
    """Write access to SSM cannot put another KMS key behind a kid, not even at the second try."""
    active, standby = keys
    swapped = replace(active, kms_key_arn=standby.kms_key_arn)
    for _ in range(2):
        with pytest.raises(NotASigningKey, match=active.kid):
            booted.public_keys.get(swapped)
    assert booted.public_keys.get(active)


def test_a_fetch_that_failed_is_repeated(booted, keys, aws):
    """A fault is raised as it is, and nothing of it is remembered."""
    aws.fail("kms:GetPublicKey", aws.error("DisabledException"))
    with pytest.raises(KeyUnusable):
        booted.public_keys.get(keys[0])
    assert booted.public_keys.get(keys[0])
