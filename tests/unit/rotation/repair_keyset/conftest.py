"""What the repair's tests share: the damage that somebody can do, and the repair of it."""

import json

import pytest

from keyturn.aws.well_known import JWKS
from keyturn.keyset.transitions import revoke
from keyturn.rotation import repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.repair_keyset import Condition


@pytest.fixture
def name():
    """A generation's parameter."""
    return lambda number: f"/keyturn/demo/keyset/{number:012d}"


@pytest.fixture
def put(cloud, name):
    """Write a generation as somebody with the permission could."""

    def put(number, text):
        cloud.ssm.put(name(number), text, overwrite=True)

    return put


@pytest.fixture
def lose(cloud, name):
    """Delete generations as somebody with the permission could."""
    return lambda *numbers: cloud.ssm.delete([name(n) for n in numbers])


@pytest.fixture
def repaired(booted, origin):
    """Diagnose and repair, to the JWKS; returns the diagnosis, and insists that all is sound."""

    def repaired():
        diagnosis = repair_keyset.diagnose(booted)
        repair_keyset.repair(booted, diagnosis, origin)
        project(booted, origin)
        assert repair_keyset.diagnose(booted).condition is Condition.SOUND
        booted.keysets.generations()
        return diagnosis

    return repaired


@pytest.fixture
def revoked(booted, change):
    """Revoke a live key; returns its kid."""

    def revoked(kid):
        change(revoke, [kid], times=booted.times, limits=booted.limits)
        return kid

    return revoked


@pytest.fixture
def show(cloud):
    """Write the JWKS with this number and only these of its keys, as somebody could."""

    def show(number, kids):
        standing = json.loads(cloud.s3.body(JWKS))
        keys = [key for key in standing["keys"] if key["kid"] in kids]
        cloud.s3.write(
            JWKS,
            json.dumps({"keys": keys, "generation": number}).encode(),
            metadata={"keyturn-generation": str(number)},
        )

    return show
