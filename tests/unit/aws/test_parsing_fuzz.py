"""Texts of any shape in SSM or in the bucket: reading them raises nothing but declared errors."""

import json
import random
from dataclasses import replace

import pytest

from keyturn.aws.keyset.well_known import parse_jwks
from keyturn.keyset.errors import NewerSchema
from keyturn.keyset.lineage import trace
from keyturn.tokens.jwk import PublicJwk
from tests.mutations import STRANGE, mutations
from tests.unit.stage import KEYSET, START


@pytest.fixture
def jwks(rsa_keys):
    """A JWKS of two keys."""
    keys = [PublicJwk.from_rsa(key.public_key()) for key in rsa_keys[:2]]
    return {"keys": [key.members() for key in keys], "generation": 7}


def corrupt(text: bytes, seed: int, count: int):
    """Yield texts with bytes changed, removed or inserted."""
    source = random.Random(seed)
    for _ in range(count):
        body = bytearray(text)
        for _ in range(source.randint(1, 8)):
            at = source.randrange(len(body))
            body[at : at + source.randint(0, 2)] = bytes([source.randrange(256)])
        yield bytes(body)


def test_any_mutation_of_a_jwks_yields_only_its_own_keys(jwks):
    """Each key of the result is in the original, under its own thumbprint."""
    body = json.dumps(jwks).encode()
    keys = parse_jwks(body)
    assert list(keys) == [key["kid"] for key in jwks["keys"]]
    for mutated in mutations(jwks, seed=13, count=2000):
        assert parse_jwks(json.dumps(mutated).encode()).items() <= keys.items()
    for corrupted in corrupt(body, seed=13, count=1000):
        assert parse_jwks(corrupted).keys() <= keys.keys()


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"[" * 100_000, b'{"keys":' * 50_000, b'{"keys":' + b"9" * 5000 + b"}"],
    ids=lambda body: ascii(body[:12]),
)
def test_a_body_that_python_cannot_parse_has_no_keys(body):
    """Its encoding, depth or numbers are beyond Python's limits."""
    assert parse_jwks(body) == {}


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("member", ["n", "e", "kid"])
def test_a_key_with_a_strange_member_is_ignored(jwks, member, value):
    """The other key is read."""
    first, second = jwks["keys"]
    body = json.dumps({"keys": [{**first, member: value}, second]}).encode()
    assert list(parse_jwks(body)) == [second["kid"]]


def test_only_twelve_ascii_digits_name_a_generation(booted, monkeypatch):
    """SSM accepts some of these names; int() accepts most of them."""
    numbers = ["٠٠٠٠٠٠٠٠٠٠٠٣", "²", "3", "0000000000003", "00000000003x", "clock", "-00000000003"]
    parameters = [
        {"Name": f"{KEYSET}/{number}", "Value": "{}", "Version": 1, "LastModifiedDate": START}
        for number in (*numbers, "000000000003")
    ]
    pages = type("Pages", (), {"paginate": lambda _self, **_: [{"Parameters": parameters}]})()
    monkeypatch.setattr(booted.keysets._reads, "get_paginator", lambda _name: pages)
    assert booted.keysets.read_texts() == {3: "{}"}


def test_any_mutation_of_a_generation_counts_or_is_skipped(booted):
    """If it names its parent and is of a newer release, that is an error which says to deploy it."""
    first, second = booted.keysets.list_parameters()
    generation = json.loads(second.text)
    mutated = [json.dumps(members) for members in mutations(generation, seed=13, count=1000)]
    for text in (*mutated, "[" * 100_000, "9" * 5000, ""):
        try:
            lineage = trace([first, replace(second, text=text)])
        except NewerSchema as error:
            assert "000000000002: schema" in str(error)
            assert "deploy" in str(error)
        else:
            assert lineage
            assert lineage.next_number == 3
            assert (len(lineage.chain), list(lineage.rejections)) in ((2, []), (1, [2]))
