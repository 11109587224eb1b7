"""Public keys as JWK, and the thumbprints that certify them."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from keyturn.tokens import base64url
from keyturn.tokens.jwk import NotASigningKey, PublicJwk, certify

RFC_7638 = PublicJwk(
    n=(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJ"
        "ECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW"
        "2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQ"
        "Fh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    e="AQAB",
)
RFC_7638_KID = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def der(public_key) -> bytes:
    """What `kms:GetPublicKey` returns for a key."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_the_thumbprint_is_that_of_the_rfc():
    """The kid of the example key of RFC 7638 section 3.1 is the one printed there."""
    assert RFC_7638.kid == RFC_7638_KID


def test_the_published_members_are_public_and_complete():
    """The JWKS entry has exactly the members of an RS256 signing key, and no private one."""
    assert RFC_7638.members() == {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": RFC_7638_KID,
        "n": RFC_7638.n,
        "e": "AQAB",
    }


def test_a_key_survives_the_way_there_and_back(rsa_key):
    """DER, JWK and public key are the same numbers."""
    public_key = rsa_key.public_key()
    jwk = PublicJwk.from_der(der(public_key))
    assert jwk == PublicJwk.from_rsa(public_key)
    assert jwk.public_key() == public_key


def test_numbers_have_no_leading_zeros():
    """A number has as many bytes as it needs (RFC 7518 section 2), so a key has one thumbprint."""
    assert PublicJwk.from_rsa(RFC_7638.public_key()) == RFC_7638


def test_others_read_the_same_key(rsa_key):
    """PyJWT makes the same public key of the published members."""
    members = PublicJwk.from_rsa(rsa_key.public_key()).members()
    assert RSAAlgorithm.from_jwk(members) == rsa_key.public_key()


def test_a_key_of_another_size_is_refused(large_rsa_key):
    """Only RSA_2048 signs here, whichever way the key comes."""
    for load in (PublicJwk.from_rsa, lambda key: PublicJwk.from_der(der(key))):
        with pytest.raises(NotASigningKey, match="an RSA key of 3072 bits, not 2048"):
            load(large_rsa_key.public_key())


def test_an_elliptic_curve_key_is_refused():
    """Another key type is no signing key."""
    with pytest.raises(NotASigningKey, match="not an RSA key"):
        PublicJwk.from_der(der(ec.generate_private_key(ec.SECP256R1()).public_key()))


@pytest.mark.parametrize(
    "damage",
    [lambda raw: b"", lambda raw: raw[:-1], lambda raw: raw + b"\0", lambda raw: b"\x31" + raw[1:]],
    ids=["empty", "cut off", "trailing byte", "other tag"],
)
def test_damaged_der_is_refused(damage, rsa_key):
    """Bytes that are not exactly one SubjectPublicKeyInfo are refused."""
    with pytest.raises(NotASigningKey, match="not a DER SubjectPublicKeyInfo"):
        PublicJwk.from_der(damage(der(rsa_key.public_key())))


def test_an_unknown_key_type_is_refused(rsa_key):
    """A key type that the library does not know is no signing key either."""
    oid, unknown = bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d01017f")
    with pytest.raises(NotASigningKey):
        PublicJwk.from_der(der(rsa_key.public_key()).replace(oid, unknown))


@pytest.mark.parametrize(
    "change",
    [{"n": ""}, {"n": "AQ"}, {"n": RFC_7638.n + "="}, {"e": ""}, {"e": "AQ"}, {"e": "Ag"}],
    ids=["no modulus", "tiny modulus", "padded modulus", "no exponent", "one", "two"],
)
def test_numbers_that_are_no_key_are_refused(change):
    """A modulus or exponent that cannot be is refused when the key is wanted."""
    with pytest.raises(NotASigningKey, match="not the parameters of an RSA key"):
        replace(RFC_7638, **change).public_key()


def test_a_key_is_certified_by_its_own_kid_only():
    """The thumbprint is recomputed: a key found under another kid is refused."""
    assert certify(RFC_7638, RFC_7638_KID) is RFC_7638
    other = base64url.encode(bytes(32))
    with pytest.raises(NotASigningKey, match=other):
        certify(RFC_7638, other)


@pytest.mark.parametrize("change", [{"n": "A" + RFC_7638.n[1:]}, {"e": "Aw"}])
def test_other_numbers_have_another_kid(change):
    """Both numbers count in the thumbprint."""
    assert replace(RFC_7638, **change).kid != RFC_7638_KID
