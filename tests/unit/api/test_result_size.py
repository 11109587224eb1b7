"""How large the answer about a token can be, and the bound that it keeps."""

import json

import pytest

from keyturn.access.routes import RouteTable
from keyturn.api.gateway import MAX_ARN, MAX_RESULT, Call, build_context, result_size
from keyturn.tokens import jws

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1"
TABLE = RouteTable.parse({"GET /orders/{id}": "", "$connect": ""})


def claims_of(extra):
    """A token's, with one claim of the client's own."""
    return {"sub": "alice", "client_id": "orders", "jti": 36 * "j", "scope": "a b", "extra": extra}


def filled(filling):
    """The longest such claim that stays within the bound."""
    empty = result_size(claims_of(""))
    each = result_size(claims_of(filling)) - empty
    return claims_of(filling * ((MAX_RESULT - empty) // each))


@pytest.mark.parametrize("filling", ["x", '"', "\\", "ä", "😀", "\x01", "/"])
def test_no_answer_is_larger_than_computed(filling):
    """As Lambda sends it: on each kind of API, at the longest path, however the claims are spelt."""
    claims = filled(filling)
    size = result_size(claims)
    assert MAX_RESULT - 64 < size <= MAX_RESULT
    longest = f"GET/orders/{(MAX_ARN - len(STAGE) - len('/GET/orders/')) * 'y'}"
    sizes = [
        len(
            json.dumps(
                Call("", f"{STAGE}/{asked}", http).allow(claims, TABLE, build_context(claims))
            )
        )
        for asked, http in ((longest, False), ("$connect", False), (longest, True))
    ]
    assert sizes[0] == size
    assert max(sizes) == size


def test_the_bound_takes_nothing_from_plain_claims():
    """The bound on tokens refuses them first."""
    assert jws.serialized_size(jws.build_signing_input(43 * "k", filled("x"))) > jws.MAX_BYTES


def test_a_token_can_be_within_its_bound_and_its_answer_beyond():
    """So the answer needs a bound of its own: text that JSON escapes grows more than in a token."""
    claims = claims_of(600 * "😀")
    assert jws.serialized_size(jws.build_signing_input(43 * "k", claims)) < jws.MAX_BYTES
    assert result_size(claims) > MAX_RESULT
