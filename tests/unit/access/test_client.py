"""A client's document: every member of another kind is refused by its name."""

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


def test_a_full_document_says_what_it_says():
    """Each member once."""
    assert Client.from_document("shop", GOOD) == Client(
        "shop",
        frozenset({"orders", "billing"}),
        frozenset({"orders:read"}),
        frozenset({"user-1"}),
        900,
        frozenset({"tenant", "roles"}),
    )


def test_what_is_left_out_is_the_least():
    """No scopes, no claims, no other subject than itself."""
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
    """Else the document would promise what the issuer must refuse."""
    with pytest.raises(InvalidDocument) as error:
        Client.from_document("shop", {**GOOD, "claims": claims})
    assert str(error.value).startswith("claims: ")
    assert words in str(error.value)


@pytest.mark.parametrize("member", sorted(GOOD))
def test_a_member_of_another_kind_is_named(member):
    """A number, a text, an object or nothing where a list or a number should be; a list within a list."""
    values: tuple[object, ...] = (None, 1.5, {}, [[]], [None], [5], "x", True, "", 0, -1)
    for value in values:
        with pytest.raises(InvalidDocument) as error:
            Client.from_document("shop", {**GOOD, member: value})
        assert str(error.value).startswith(f"{member}: "), value


def test_no_mutation_of_a_document_raises_anything_else():
    """Seeded: whatever a template or a hand wrote, it is a client or an InvalidDocument."""
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
    """What needs no escape in a URL, an IAM resource and a parameter's name."""
    assert is_client_name(name)
    assert Client.from_document(name, json.loads(json.dumps(GOOD))).name == name


@pytest.mark.parametrize(
    "name", ["", "-", "_a", "a/b", "a.b", "a*", "a?", "a" * 65, "a\n", "ä", "٣"]
)
def test_what_is_no_name_of_a_client(name):
    """Nothing that IAM, SSM or a URL would read otherwise."""
    assert not is_client_name(name)
    with pytest.raises(InvalidDocument):
        Client.from_document(name, GOOD)
