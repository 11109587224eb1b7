"""Which claims no client may set: reserved ones, and names that a verifier could take for them."""

import unicodedata
from random import Random

import pytest

from keyturn.access.claim_names import REGISTERED, RESERVED, find_problem, fold

# Characters that fold to ASCII letters somewhere: Go's EqualFold (ſ, K), Java's equalsIgnoreCase (ı, İ),
# compatibility forms (fullwidth, mathematical, circled, superscript, ligatures).
_LOOKALIKES = {
    letter: [
        character
        for character in map(chr, range(0x80, 0x1_F200))
        if unicodedata.category(character) not in ("Cs", "Co", "Cn")
        and letter
        in (unicodedata.normalize("NFKC", character).casefold(), character.upper().lower())
    ]
    for letter in "abcdefghijklmnopqrstuvwxyz"
}


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_the_claims_of_the_issuer_are_reserved(name):
    """No client's document can list them."""
    assert find_problem(name) == "is reserved"


@pytest.mark.parametrize("name", sorted(REGISTERED - RESERVED))
def test_a_registered_name_may_be_listed_as_it_is(name):
    """The team that lists `roles`, `groups`, `act`, `azp` or `scp` decides what they mean."""
    assert find_problem(name) is None


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        *(("SUB", "sub"), ("Exp", "exp"), ("ſub", "sub"), ("client-id", "client_id")),
        *(
            ("clientId", "client_id"),
            ("clıent_id", "client_id"),
            ("İss", "iss"),
            ("\uff53ub", "sub"),
        ),
        *(("s\u00adub", "sub"), ("sub ", "sub"), ("sub\u200b", "sub"), ("ROLES", "roles")),
        *(("\u24d0ct", "act"), ("\u212aid", "kid"), ("scopE", "scope"), ("_sub", "sub")),
    ],
)
def test_a_name_that_can_be_read_as_another_is_refused(name, twin):
    """Case, Unicode folds, invisible characters, and `-` or `_` that some decoders ignore."""
    assert find_problem(name) == f"can be read as {twin}"


@pytest.mark.parametrize("name", ["", " ", "_", "--", "\u200b", "$"])
def test_a_name_without_a_letter_or_digit_is_refused(name):
    """It would fold to nothing."""
    assert find_problem(name) == "has no letter or digit"


@pytest.mark.parametrize(
    "name", ["tenant", "https://orders.example/sub", "cognito:groups", "subject", "名前", "x5"]
)
def test_other_names_are_free(name):
    """That includes names which contain a registered one."""
    assert find_problem(name) is None


def test_registered_names_differ_by_more_than_their_fold():
    """Otherwise one of the two could not be listed."""
    assert len({fold(name) for name in REGISTERED}) == len(REGISTERED)


def test_every_disguise_of_a_reserved_name_is_refused():
    """Letters have any case or form that folds to them; `_`, `-` and spaces are anywhere."""
    source = Random("disguises")
    for _ in range(5_000):
        name = source.choice(sorted(RESERVED))
        disguised = "".join(_disguised(letter, source) for letter in name)
        if disguised != name:
            assert find_problem(disguised), ascii(disguised)


def _disguised(letter: str, source: Random) -> str:
    forms = [letter, letter.upper(), *_LOOKALIKES.get(letter, ())]
    around = source.choice(["", "", "", "_", "-", " ", "\u200d", "\u00ad"])
    return around + source.choice(forms)
