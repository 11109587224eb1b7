"""Which tokens a client may have: each field, its default, and its refusal."""

from dataclasses import replace
from random import Random

import pytest

from keyturn.access.client import Client, Subjects
from keyturn.access.grant import ErrorCode, Grant, NotGranted, TokenRequest, grant

SHOP = Client("shop", frozenset({"orders"}), frozenset({"read", "write"}), Subjects.ANY)
KEY = 3600  # seconds


def granted(client: Client, **request) -> Grant:
    """What the client gets."""
    return grant(client, TokenRequest(**request), key_lifetime=KEY)


def refused(client: Client, **request) -> tuple[ErrorCode, str]:
    """The code and field of a refusal."""
    with pytest.raises(NotGranted) as error:
        granted(client, **request)
    assert str(error.value).startswith(f"{error.value.field}: ")
    return error.value.code, error.value.field


def test_the_defaults_of_a_client_that_is_its_own_subject():
    """Its name, its only audience, no scope, the key's lifetime."""
    own = replace(SHOP, subjects=Subjects.ITSELF)
    assert granted(own) == Grant("shop", "orders", "", KEY, {})


def test_a_client_for_any_subject_has_no_default():
    """The request names the subject."""
    assert refused(SHOP) == (ErrorCode.INVALID_REQUEST, "subject")
    assert granted(SHOP, subject="user-7").subject == "user-7"


def test_listed_subjects_and_no_others():
    """A list of subjects does not include the client's own name."""
    client = replace(SHOP, subjects=frozenset({"user-1"}))
    assert granted(client, subject="user-1").subject == "user-1"
    for subject in ("user-2", "shop", "USER-1", None):
        assert refused(client, subject=subject) == (ErrorCode.INVALID_REQUEST, "subject")


def test_a_client_is_by_default_its_only_subject():
    """A request for any other subject is refused."""
    assert refused(replace(SHOP, subjects=Subjects.ITSELF), subject="user-1")[1] == "subject"


def test_several_audiences_have_no_default():
    """The client chooses the target (RFC 8707)."""
    client = replace(SHOP, audiences=frozenset({"orders", "billing"}))
    assert refused(client, subject="a") == (ErrorCode.INVALID_TARGET, "audience")
    assert granted(client, subject="a", audience="billing").audience == "billing"


def test_another_audience_is_an_invalid_target():
    """Audiences are compared exactly."""
    for audience in ("billing", "Orders", "orders/", ""):
        assert refused(SHOP, subject="a", audience=audience) == (
            ErrorCode.INVALID_TARGET,
            "audience",
        )


def test_scopes_are_each_the_clients():
    """Spaces are normalised; one scope that the client does not have refuses the request."""
    assert granted(SHOP, subject="a", scope=" write  read ").scope == "write read"
    for scope in ("read admin", "Read", "read\twrite", "read\xa0write"):
        assert refused(SHOP, subject="a", scope=scope) == (ErrorCode.INVALID_SCOPE, "scope")


@pytest.mark.parametrize(("most", "allowed"), [(None, KEY), (900, 900), (2 * KEY, KEY)])
def test_the_lifetime_is_the_shorter_of_the_keys_and_the_clients(most, allowed):
    """It is the default, and the maximum."""
    client = replace(SHOP, max_lifetime=most)
    assert granted(client, subject="a").lifetime == allowed
    assert granted(client, subject="a", lifetime=allowed).lifetime == allowed
    assert refused(client, subject="a", lifetime=allowed + 1) == (
        ErrorCode.INVALID_REQUEST,
        "lifetime",
    )


@pytest.mark.parametrize("name", ["scp", "roles", "groups", "act", "azp", "tenant"])
def test_a_claim_is_set_only_where_it_is_listed(name):
    """Names that suggest authority are not special: listed they are granted, else refused."""
    assert refused(SHOP, subject="a", claims={name: 1})[1] == f"claims.{name}"
    client = replace(SHOP, claims=frozenset({name}))
    assert granted(client, subject="a", claims={name: 1}).claims == {name: 1}


@pytest.mark.parametrize("name", ["sub", "SUB", "", "client-id"])
def test_a_reserved_claim_is_refused_even_if_it_were_listed(name):
    """Documents with such names do not parse; the grant does not rely on it."""
    client = replace(SHOP, claims=frozenset({name}))
    assert refused(client, subject="a", claims={name: 1})[0] is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("name", ["a b", 'a"', "a\\", "ä", "x" * 65, "\n"])
def test_a_name_that_a_description_must_not_contain_is_left_out(name):
    """RFC 6749 section 5.2: printable ASCII without quotation mark and backslash."""
    assert refused(SHOP, subject="a", claims={name: 1})[1] == "claims"


def test_no_request_gets_more_than_the_document_says():
    """Random clients and requests: every field of a grant is within the client's document."""
    source, count = Random("grants"), 0
    words = ["orders", "read", "write", "shop", "user-1", "tenant", "exp"]

    def some() -> frozenset[str]:
        return frozenset(source.sample(words, source.randint(1, 4)))

    for _ in range(5_000):
        subjects: list[Subjects | frozenset[str]] = [Subjects.ANY, Subjects.ITSELF]
        client = Client(
            "shop",
            some(),
            some(),
            source.choice([*subjects, some()]),
            source.choice([None, 60, 7200]),
            some() - {"exp"},
        )
        request = TokenRequest(
            subject=source.choice([None, *words]),
            audience=source.choice([None, *words]),
            scope=" ".join(source.sample(words, source.randint(0, 2))),
            lifetime=source.choice([None, 1, 60, 61, 3600, 3601]),
            claims=dict.fromkeys(source.sample(words, source.choice([0, 0, 1, 2]))),
        )
        try:
            issued = grant(client, request, key_lifetime=KEY)
        except NotGranted:
            continue
        count += 1
        assert issued.audience in client.audiences
        assert set(issued.scope.split()) <= client.scopes
        assert client.may_use_subject(issued.subject)
        assert 0 < issued.lifetime <= min(KEY, client.max_lifetime or KEY)
        assert issued.claims.keys() <= client.claims
    assert count > 100
