"""Public keys: read from KMS once, and accepted only under the kid that certifies them."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import KeyUnusable
from keyturn.tokens.jwk import NotASigningKey
from tests.unit.stage import active_key, standby_key


@pytest.fixture
def keys(booted):
    """The active and the standby key."""
    keyset = booted.keysets.read().keyset
    return active_key(keyset), standby_key(keyset)


def test_a_public_key_is_read_once(booted, keys, aws):
    """It is that of the ARN in the keyset."""
    aws.reset()
    first = [booted.public_keys.get(key) for key in keys]
    assert [booted.public_keys.get(key) for key in keys * 3] == first * 3
    assert aws.params("kms:GetPublicKey") == [{"KeyId": key.kms_key_arn} for key in keys]
    assert first[0].public_numbers() != first[1].public_numbers()


def test_a_key_with_another_thumbprint_is_refused(booted, keys):
    """Write access to SSM cannot put another KMS key behind a kid, not even at the second attempt."""
    active, standby = keys
    swapped = replace(active, kms_key_arn=standby.kms_key_arn)
    for _ in range(2):
        with pytest.raises(NotASigningKey, match=active.kid):
            booted.public_keys.get(swapped)
    assert booted.public_keys.get(active)


def test_a_failed_read_is_repeated(booted, keys, aws):
    """The fault is raised, and not cached."""
    aws.fail("kms:GetPublicKey", aws.error("DisabledException"))
    with pytest.raises(KeyUnusable):
        booted.public_keys.get(keys[0])
    assert booted.public_keys.get(keys[0])
