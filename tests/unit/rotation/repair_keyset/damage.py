"""The damage that somebody with one permission can do to a keyset, and its repair."""

import json

from keyturn.aws.keyset.well_known import JWKS
from keyturn.rotation import repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.repair_keyset import Condition
from tests.unit.changes import revoke_keys


def name(number):
    """A generation's parameter."""
    return f"/keyturn/demo/keyset/{number:012d}"


def put(cloud, number, text):
    """Write a generation as somebody with the permission could."""
    cloud.ssm.put(name(number), text, overwrite=True)


def lose(cloud, *numbers):
    """Delete generations as somebody with the permission could."""
    return cloud.ssm.delete([name(n) for n in numbers])


def show(cloud, number, kids):
    """Write the JWKS with this number and only these of its keys, as somebody could."""
    standing = json.loads(cloud.s3.body(JWKS))
    keys = [key for key in standing["keys"] if key["kid"] in kids]
    cloud.s3.write(
        JWKS,
        json.dumps({"keys": keys, "generation": number}).encode(),
        metadata={"keyturn-generation": str(number)},
    )


def repaired(booted, origin):
    """Diagnose and repair, to the JWKS; returns the diagnosis, and insists that all is sound."""
    diagnosis = repair_keyset.diagnose(booted)
    repair_keyset.repair(booted, diagnosis, origin)
    project(booted, origin)
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND
    booted.keysets.read_generations()
    return diagnosis


def revoked(booted, stack, kid):
    """Revoke a live key; returns its kid."""
    revoke_keys(stack, kid)
    return kid
