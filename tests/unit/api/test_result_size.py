"""How large the answer about a token can be, and its bound."""

import json

import pytest

from keyturn.access.routes import RouteTable
from keyturn.api.gateway import MAX_ARN, MAX_RESULT, Call, build_context, result_size

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1"
TABLE = RouteTable.parse({"GET /orders/{id}": "", "$connect": ""})


def claims_with(extra):
    """A token's claims, with one of the client's own."""
    return {"sub": "alice", "client_id": "orders", "jti": 36 * "j", "scope": "a b", "extra": extra}


def longest_claims(text):
    """The claims with this text repeated as often as the bound allows."""
    empty = result_size(claims_with(""))
    each = result_size(claims_with(text)) - empty
    return claims_with(text * ((MAX_RESULT - empty) // each))


@pytest.mark.parametrize("text", ["x", '"', "\\", "ä", "😀", "\x01", "/"])
def test_no_answer_is_larger_than_computed(text):
    """The largest is a REST API's at the longest path, as Lambda encodes it."""
    claims = longest_claims(text)
    size = result_size(claims)
    assert MAX_RESULT - 64 < size <= MAX_RESULT
    longest = f"GET/orders/{(MAX_ARN - len(STAGE) - len('/GET/orders/')) * 'y'}"
    calls = [
        Call("", f"{STAGE}/{longest}", is_http_api=False),
        Call("", f"{STAGE}/$connect", is_http_api=False),
        Call("", f"{STAGE}/{longest}", is_http_api=True),
    ]
    sizes = [len(json.dumps(call.allow(claims, TABLE, build_context(claims)))) for call in calls]
    assert sizes[0] == size == max(sizes)
