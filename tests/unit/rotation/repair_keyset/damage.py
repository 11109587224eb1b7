"""The damage that somebody with one permission can do to a keyset."""

import json

from keyturn.aws.well_known import JWKS


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
