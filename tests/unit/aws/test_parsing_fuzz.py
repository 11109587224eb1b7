"""Whatever stands in SSM or in the bucket, reading it raises nothing but declared errors."""

import json
import random
from dataclasses import replace

import pytest

from keyturn.aws.keyset.well_known import JWKS, parse_jwks
from keyturn.keyset.errors import DocumentInvalid, NewerSchema
from keyturn.keyset.lineage import trace
from keyturn.tokens.jwk import PublicJwk
from tests.mutations import STRANGE, mutations
from tests.unit.stage import START

NOT_NUMBERS = ["٠٠٠٠٠٠٠٠٠٠٠٣", "²", "3", "0000000000003", "00000000003x", "clock", "-00000000003"]


@pytest.fixture
def jwks(rsa_keys):
    """The text of a JWKS of two keys, and their kids."""
    keys = [PublicJwk.from_rsa(key.public_key()) for key in rsa_keys[:2]]
    return {"keys": [key.members() for key in keys], "generation": 7}


def spoilt(text: bytes, seed: int, count: int):
    """Texts with bytes changed, removed or doubled."""
    source = random.Random(seed)
    for _ in range(count):
        body = bytearray(text)
        for _ in range(source.randint(1, 8)):
            at = source.randrange(len(body))
            body[at : at + source.randint(0, 2)] = bytes([source.randrange(256)])
        yield bytes(body)


def test_a_jwks_of_any_shape_yields_only_its_certified_keys(jwks):
    """Every key of the answer stands in the good one, under its own thumbprint."""
    good = parse_jwks(json.dumps(jwks).encode())
    assert list(good) == [key["kid"] for key in jwks["keys"]]
    for mutated in mutations(jwks, seed=13, count=2000):
        assert parse_jwks(json.dumps(mutated).encode()).items() <= good.items()
    for body in spoilt(json.dumps(jwks).encode(), seed=13, count=1000):
        assert parse_jwks(body).keys() <= good.keys()


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"[" * 100_000, b'{"keys":' * 50_000, b'{"keys":' + b"9" * 5000 + b"}"],
    ids=lambda body: ascii(body[:12]),
)
def test_a_body_that_is_no_json_has_no_keys(body):
    """Nested without end, of another encoding, with a number that Python refuses to read."""
    assert parse_jwks(body) == {}


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("member", ["n", "e", "kid"])
def test_a_member_of_another_type_leaves_its_key_out(jwks, member, value):
    """The other key stays."""
    first, second = jwks["keys"]
    body = json.dumps({"keys": [{**first, member: value}, second]}).encode()
    assert list(parse_jwks(body)) == [second["kid"]]


@pytest.mark.parametrize("number", ["9" * 13, "-1", "1_0", "x", ""])
def test_a_generation_that_is_not_spelt_as_ours_is_none(stack, cloud, number):
    """The JWKS counts as behind, and is written anew."""
    metadata = {"keyturn-generation": number}
    projection = stack.well_known
    cloud.s3.write(JWKS, b"{}", metadata=metadata)
    assert projection.read().generation == 0


@pytest.mark.parametrize("name", NOT_NUMBERS)
def test_a_name_in_the_history_that_is_not_ours_is_ignored(stack, cloud, name):
    """What somebody put there must not end reconcile; people hear of its name."""
    stack.history.keep(2, "{}")
    digest = "A" * 43
    strange = {
        f"history/{name}-{digest}.json",
        f"history/{name}.json",
        f"history/000000000003-{digest}.json/",
        "history/000000000003-.json",
    }
    for key in strange:
        cloud.s3.write(key, b"{}")
    assert [one.number for one in stack.history.generations()] == [2]
    assert {one.name for one in stack.history.objects() if one.number is None} == strange


@pytest.mark.parametrize("body", [b"\xff", b"", b"{}"])
def test_an_object_that_holds_another_text_than_its_name_says_is_invalid(stack, cloud, body):
    """It is named, and is nobody's generation."""
    stack.history.keep(2, "{ }")
    [kept] = stack.history.generations()
    cloud.s3.write(kept.name, body)
    with pytest.raises(DocumentInvalid, match=kept.name):
        stack.history.read(kept)


def test_an_unlawful_text_is_kept_once_beside_the_generations(stack, cloud):
    """Under a name that no reader of generations takes for one; the same text again is no fault."""
    texts = ("{", "{", "\ud800")
    for text in texts:
        stack.history.keep_unlawful("000000000007", text)
    names = cloud.snapshot()["objects"].keys()
    assert len(names) == 2
    assert all(name.startswith("history/unlawful/000000000007-") for name in names)
    assert all(stack.history.holds_unlawful("000000000007", text) for text in texts)
    assert not stack.history.holds_unlawful("000000000008", "{")
    assert stack.history.objects() == []


@pytest.mark.parametrize("name", [name for name in NOT_NUMBERS if name.isascii()])
def test_a_parameter_name_that_is_not_ours_is_ignored(booted, cloud, name):
    """Twelve ASCII digits and nothing else name a generation."""
    path = f"/keyturn/demo/keyset/{name}"
    before = booted.keysets.read_texts()
    cloud.ssm.put(path, "{}")
    assert booted.keysets.read_texts() == before
    assert booted.keysets.read().number == max(before)


def test_digits_of_another_script_are_no_number(booted, monkeypatch):
    """SSM lets nobody write such a name; int() would read it."""
    parameters = [
        {
            "Name": f"/keyturn/demo/keyset/{name}",
            "Value": "{}",
            "Version": 1,
            "LastModifiedDate": START,
        }
        for name in (*NOT_NUMBERS, "000000000003")
    ]
    pages = type("Pages", (), {"paginate": lambda _self, **_: [{"Parameters": parameters}]})()
    monkeypatch.setattr(booted.keysets._reads, "get_paginator", lambda _name: pages)
    assert booted.keysets.read_texts() == {3: "{}"}


def test_a_generation_of_any_shape_ends_the_lineage_or_is_stepped_over(booted):
    """Only one of a newer release that names its parent is a fault, and says to deploy that."""
    first, second = booted.keysets.list_parameters()
    good = json.loads(second.text)
    texts = [json.dumps(mutated) for mutated in mutations(good, seed=13, count=1000)]
    for text in (*texts, "[" * 100_000, "9" * 5000, ""):
        try:
            lineage = trace([first, replace(second, text=text)])
        except NewerSchema as error:
            assert "000000000002: schema" in str(error)
            assert "deploy" in str(error)
        else:
            assert lineage
            assert lineage.next_number == 3
            assert (len(lineage.chain), list(lineage.rejections)) in ((2, []), (1, [2]))
