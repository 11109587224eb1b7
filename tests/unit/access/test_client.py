"""A client's document: its members, their defaults, and the error that names an invalid one."""

import json

import pytest

from keyturn.access.client import Client, Subjects, is_client_name
from keyturn.access.members import InvalidDocument
from tests.mutations import mutations

GOOD = {
    "audiences": ["orders", "billing"],
    "scopes": ["orders:read"],
    "subjects": ["user-1"],
    "max_lifetime": 900,
    "claims": ["tenant", "roles"],
}


def test_a_full_document():
    """Each member is parsed."""
    assert Client.from_document("shop", GOOD) == Client(
        "shop",
        frozenset({"orders", "billing"}),
        frozenset({"orders:read"}),
        frozenset({"user-1"}),
        900,
        frozenset({"tenant", "roles"}),
    )


def test_the_defaults_allow_the_least():
    """No scopes, no claims, and no subject but the client itself."""
    client = Client.from_document("shop", {"audiences": ["orders"]})
    assert (client.scopes, client.claims, client.max_lifetime) == (frozenset(), frozenset(), None)
    assert client.subjects is Subjects.ITSELF
    assert client.may_use_subject("shop")
    assert not client.may_use_subject("user-1")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (["sub"], "'sub' is reserved"),
        (["SUB"], "'SUB' can be read as sub"),
        ([""], "a string of 1 to 256"),
        (["tenant", "Tenant"], "that some verifiers read as the same"),
        (["ſcope"], "can be read as scope"),
    ],
)
def test_claims_that_no_client_may_set_are_no_document(claims, words):
    """Otherwise the document would promise claims that the issuer must refuse."""
    with pytest.raises(InvalidDocument) as error:
        Client.from_document("shop", {**GOOD, "claims": claims})
    assert str(error.value).startswith("claims: ")
    assert words in str(error.value)


@pytest.mark.parametrize("member", sorted(GOOD))
def test_a_member_of_another_kind_is_named(member):
    """Whatever is in its place, the error begins with the member's name."""
    values: tuple[object, ...] = (None, 1.5, {}, [[]], [None], [5], "x", True, "", 0, -1)
    for value in values:
        with pytest.raises(InvalidDocument) as error:
            Client.from_document("shop", {**GOOD, member: value})
        assert str(error.value).startswith(f"{member}: "), value


def test_a_mutated_document_raises_nothing_else():
    """It is a client or an InvalidDocument."""
    read = refused = 0
    for document in mutations(GOOD, seed=16, count=2_000):
        try:
            client = Client.from_document("shop", document)
        except InvalidDocument:
            refused += 1
        else:
            read += 1
            assert client.audiences
            assert all(isinstance(name, str) for name in (*client.audiences, *client.scopes))
    assert refused > 1_000
    assert read > 20


@pytest.mark.parametrize("name", ["a", "A", "0", "nightly-report", "a_b", "a" * 64])
def test_names_of_clients(name):
    """They need no escape in a URL, an IAM resource or a parameter's name."""
    assert is_client_name(name)
    assert Client.from_document(name, json.loads(json.dumps(GOOD))).name == name


@pytest.mark.parametrize(
    "name", ["", "-", "_a", "a/b", "a.b", "a*", "a?", "a" * 65, "a\n", "ä", "٣"]
)
def test_an_invalid_client_name_is_refused(name):
    """IAM, SSM or a URL would read it otherwise."""
    assert not is_client_name(name)
    with pytest.raises(InvalidDocument):
        Client.from_document(name, GOOD)
