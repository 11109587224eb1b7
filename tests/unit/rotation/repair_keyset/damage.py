"""The damage that an attacker with one permission can do to a keyset, and its repair."""

import json

from keyturn.aws.keyset.well_known import JWKS
from keyturn.rotation import repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition
from tests.unit.changes import revoke_keys
from tests.unit.stage import active_kid, standby_kid


def name(number):
    """A generation's parameter."""
    return f"/keyturn/demo/keyset/{number:012d}"


def put(cloud, number, text):
    """Write a generation, as an attacker with `ssm:PutParameter` can."""
    cloud.ssm.put(name(number), text, overwrite=True)


def lose(cloud, *numbers):
    """Delete generations, as an attacker with `ssm:DeleteParameters` can."""
    return cloud.ssm.delete([name(n) for n in numbers])


def show(cloud, number, kids):
    """Write a JWKS with this number and only these keys, as an attacker with `s3:PutObject` can."""
    jwks = json.loads(cloud.s3.body(JWKS))
    keys = [key for key in jwks["keys"] if key["kid"] in kids]
    cloud.s3.write(
        JWKS,
        json.dumps({"keys": keys, "generation": number}).encode(),
        metadata={"keyturn-generation": str(number)},
    )


def diagnose_and_repair(booted, origin):
    """Diagnose, repair and publish; returns the diagnosis, and asserts that all is sound then."""
    diagnosis = repair_keyset.diagnose(booted)
    repair_keyset.repair(booted, diagnosis, origin)
    project(booted, origin)
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND
    booted.keysets.read_generations()
    return diagnosis


def revoke_active(stack, cloud):
    """Revoke the active key; returns its kid."""
    kid = active_kid(cloud)
    revoke_keys(stack, kid)
    return kid


def revoke_standby(stack, cloud):
    """Revoke the standby; returns its kid."""
    kid = standby_kid(cloud)
    revoke_keys(stack, kid)
    return kid


def lose_newest(stack, cloud):
    """Record all generations, then delete the newest one; returns it."""
    record_changes(stack)
    newest = stack.keysets.read()
    lose(cloud, newest.number)
    return newest
