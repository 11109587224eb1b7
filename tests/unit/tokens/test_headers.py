"""What a verifier remembers of good tokens: which kid their header text names, and nothing else."""

import base64
import json

import pytest

from keyturn.tokens import jws
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.verify import VerificationKey, verify
from tests.unit.tokens.good import CLAIMS, EXPECTED, HEADER, KID, NOW


@pytest.fixture
def said(rsa_key):
    """The code that a token is refused with, or the claims, by what `headers` remembers."""

    def said(token, headers, find_key=lambda _: VerificationKey(rsa_key.public_key(), 60)):
        try:
            return verify(token, find_key, EXPECTED, now=NOW, headers=headers)
        except TokenRefused as refused:
            return refused.code

    return said


def test_a_good_tokens_header_is_remembered(said, forge):
    """As its text and the kid that it names."""
    headers = {}
    token = forge(HEADER, CLAIMS)
    assert said(token, headers) == CLAIMS
    assert headers == {token.split(".")[0].encode(): KID}


@pytest.mark.parametrize(
    ("header", "claims", "code"),
    [
        (HEADER, b"{", Code.MALFORMED),
        ({**HEADER, "alg": "none"}, CLAIMS, Code.ALGORITHM),
        ({**HEADER, "typ": "JWT"}, CLAIMS, Code.TYPE),
    ],
)
def test_the_header_of_what_is_no_token_is_not(said, forge, header, claims, code):
    """Although the signature is good."""
    headers = {}
    assert said(forge(header, claims), headers) == code
    assert headers == {}


def test_a_remembered_header_is_no_verdict(said, forge):
    """An expired token's is remembered like any other, and the token is refused each time."""
    headers = {}
    expired = forge(HEADER, {**CLAIMS, "exp": NOW - 60, "iat": NOW - 90, "nbf": NOW - 90})
    assert [said(expired, headers) for _ in range(2)] == [Code.EXPIRED] * 2
    assert list(headers.values()) == [KID]


def test_whoever_has_no_key_adds_nothing(said, forge, other_rsa_key):
    """A million forged headers would be a million dictionary entries."""
    headers = {}
    for number in range(100):
        forged = forge({**HEADER, "kid": f"{number:043}"}, CLAIMS, other_rsa_key)
        assert said(forged, headers) is Code.SIGNATURE
    assert headers == {}


def test_whoever_has_a_key_adds_little(said, forge):
    """A header can be spelled in many ways; sixty-four small ones are remembered, all verify."""
    headers = {}
    members = list(HEADER.items())
    for number in range(100):
        spaces = [number // 10 % 10, number % 10]
        told = json.dumps(dict(members[number % 3 :] + members[: number % 3])).encode()
        assert said(forge(b" " * spaces[0] + told + b"\n" * spaces[1], CLAIMS), headers) == CLAIMS
    assert len(headers) == 64


def test_a_large_header_is_not_remembered(said, forge):
    """Its token is good all the same."""
    headers = {}
    assert said(forge(json.dumps(HEADER).encode() + b" " * 150, CLAIMS), headers) == CLAIMS
    assert headers == {}


def test_a_remembered_header_spares_no_other_check(said, forge, other_rsa_key):
    """Signature, key and claims are looked at as if the header were new."""
    headers = {}
    good = forge(HEADER, CLAIMS)
    said(good, headers)
    remembered = dict(headers)
    header, payload, signature = good.split(".")

    def revoked(_kid):
        raise TokenRefused(Code.KEY_REVOKED)

    assert said(good, headers, revoked) is Code.KEY_REVOKED
    assert said(forge(HEADER, CLAIMS, other_rsa_key), headers) is Code.SIGNATURE
    assert said(forge(HEADER, {**CLAIMS, "iss": "x"}), headers) is Code.ISSUER
    assert said(f"{header}.{payload}.{signature[:-2]}", headers) in (
        Code.SIGNATURE,
        Code.MALFORMED,
    )
    assert said(f"{header}.{payload}=.{signature}", headers) is Code.MALFORMED
    assert said(f"{header}..{signature}", headers) is Code.MALFORMED
    assert said(f"{header}.{payload}.{signature}.", headers) is Code.MALFORMED
    assert headers == remembered


@pytest.mark.parametrize("bracket", ["[", "{"])
def test_a_header_full_of_brackets_is_not_looked_into(bracket):
    """Anyone can send it, and no header of ours has more than one."""
    header = base64.urlsafe_b64encode(f'{{"x":"{bracket * 65}"}}'.encode()).rstrip(b"=").decode()
    with pytest.raises(TokenRefused) as refused:
        jws.UnverifiedToken.parse(f"{header}.e30.e30")
    assert refused.value.code is Code.MALFORMED
