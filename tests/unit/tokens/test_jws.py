"""The compact serialisation: how a token is built and parsed.

Texts that are not tokens are in `tests/vectors`.
"""

import base64
import json

import pytest

from keyturn.tokens import jws
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jws import UnverifiedToken

KID = "k" * 43
CLAIMS = {"sub": "Zoë", "q": "???????>>>>>>>"}
SIGNATURE = bytes(range(256))


def decode(segment: str) -> bytes:
    """The bytes of a segment, by way of the standard library."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


TOKEN = jws.serialize(jws.build_signing_input(KID, CLAIMS), SIGNATURE)


def test_the_header_has_exactly_three_members():
    """They are algorithm, kid and type; the payload has the claims."""
    header, payload = jws.build_signing_input(KID, CLAIMS).split(".")
    assert json.loads(decode(header)) == {"alg": "RS256", "kid": KID, "typ": "at+jwt"}
    assert json.loads(decode(payload)) == CLAIMS


def test_claims_are_compact_utf_8():
    """The payload has no spaces and no escapes that it does not need."""
    payload = jws.build_signing_input(KID, {"a": 1, "sub": "Zoë"}).split(".")[1]
    assert decode(payload) == '{"a":1,"sub":"Zoë"}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"], ids=repr)
def test_a_value_that_strict_json_refuses_is_not_signed(value):
    """NaN, an infinity and a lone surrogate cannot be put into a token."""
    with pytest.raises(ValueError):
        jws.build_signing_input(KID, {"a": value})


def test_a_token_is_parsed_into_its_parts():
    """Parsing gives the kid, the exact bytes that were signed, the payload and the signature."""
    token = UnverifiedToken.parse(TOKEN)
    assert token.kid == KID
    assert token.signing_input == TOKEN.rpartition(".")[0].encode()
    assert json.loads(token.payload) == CLAIMS
    assert token.signature == SIGNATURE


def test_the_size_is_known_before_signing():
    """`serialized_size` is the length of the token that will be serialised."""
    signed = jws.build_signing_input(KID, CLAIMS)
    assert jws.serialized_size(signed) == len(jws.serialize(signed, SIGNATURE))


@pytest.mark.parametrize("bracket", ["[", "{"])
def test_a_header_full_of_brackets_is_not_parsed(bracket):
    """Anyone can send it, and a valid header has at most one."""
    header = base64.urlsafe_b64encode(f'{{"x":"{bracket * 65}"}}'.encode()).rstrip(b"=").decode()
    with pytest.raises(TokenRefused) as refused:
        UnverifiedToken.parse(f"{header}.e30.e30")
    assert refused.value.code is Code.MALFORMED
