"""What the repair's tests share: the damage that somebody can do, and the repair of it."""

import json

import pytest

from keyturn.aws.well_known import JWKS
from keyturn.keyset.transitions import revoke
from keyturn.rotation import repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.repair_keyset import Condition
from tests.unit.conftest import BUCKET


@pytest.fixture
def name():
    """A generation's parameter."""
    return lambda number: f"/keyturn/demo/keyset/{number:012d}"


@pytest.fixture
def put(backdoor, name):
    """Write a generation as somebody with the permission could."""

    def put(number, text):
        backdoor.ssm.put_parameter(Name=name(number), Value=text, Type="String", Overwrite=True)

    return put


@pytest.fixture
def lose(backdoor, name):
    """Delete generations as somebody with the permission could."""
    return lambda *numbers: backdoor.ssm.delete_parameters(Names=[name(n) for n in numbers])


@pytest.fixture
def repaired(booted, origin):
    """Diagnose and repair, to the JWKS; returns the diagnosis, and insists that all is sound."""

    def repaired():
        diagnosis = repair_keyset.diagnose(booted)
        repair_keyset.repair(booted, diagnosis, origin)
        project(booted, origin)
        assert repair_keyset.diagnose(booted).condition is Condition.SOUND
        booted.keysets.read_generations()
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
def show(backdoor):
    """Write the JWKS with this number and only these of its keys, as somebody could."""

    def show(number, kids):
        standing = json.loads(backdoor.s3.get_object(Bucket=BUCKET, Key=JWKS)["Body"].read())
        keys = [key for key in standing["keys"] if key["kid"] in kids]
        backdoor.s3.put_object(
            Bucket=BUCKET,
            Key=JWKS,
            Body=json.dumps({"keys": keys, "generation": number}).encode(),
            Metadata={"keyturn-generation": str(number)},
        )

    return show
