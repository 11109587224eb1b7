"""The claims of an access token: what the issuer builds, and when they are valid.

Missing claims, and those of another type, issuer or audience, are in `tests/vectors`.
"""

import pytest

from keyturn.tokens.claims import build, check_claims
from keyturn.tokens.errors import Code, TokenRefused
from tests.unit.tokens.good import CLAIMS, EXPECTED, NOW

LIFETIME = 60


def verdict(now: float = NOW, **changes: object) -> Code | None:
    """Why CLAIMS with these changes are refused, or None; a claim set to `...` is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    try:
        check_claims(claims, EXPECTED, lifetime=LIFETIME, now=now)
    except TokenRefused as refused:
        return refused.code
    return None


def built(**changes):
    """The claims above, as the issuer builds them."""
    return build(
        **{
            "issuer": EXPECTED.issuer,
            "subject": CLAIMS["sub"],
            "audience": CLAIMS["aud"],
            "client_id": CLAIMS["client_id"],
            "jti": "id-1",
            "now": NOW,
            "lifetime": LIFETIME,
            "scope": CLAIMS["scope"],
            **changes,
        }
    )


def test_build_stamps_every_claim_of_the_profile():
    """A token is valid from now, for exactly the lifetime."""
    assert built() == CLAIMS


def test_build_adds_the_callers_own_claims():
    """They stand beside the profile's claims; an empty scope is left out."""
    assert built(scope="", extra={"tenant": {"id": 7}}) == {
        **{k: v for k, v in CLAIMS.items() if k != "scope"},
        "tenant": {"id": 7},
    }


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_build_refuses_an_extra_claim_of_its_own_names(name):
    """An additional claim never replaces one that the issuer sets."""
    with pytest.raises(ValueError, match="one of the issuer's claims"):
        built(scope="", extra={"fine": 1, name: "x"})


def test_good_claims_are_valid():
    """They are valid with and without a scope and additional claims."""
    assert verdict() is None
    assert verdict(scope=...) is None
    assert verdict(scope="", tenant={"id": 7}) is None


@pytest.mark.parametrize(
    ("exp", "code"),
    [
        (NOW + LIFETIME + 1, Code.LIFETIME),
        (NOW + LIFETIME, None),
        (NOW + 1, None),
        (NOW, Code.LIFETIME),
        (NOW - 1, Code.LIFETIME),
    ],
    ids=["a second over", "exactly", "a second", "zero", "negative"],
)
def test_a_token_lives_no_longer_than_its_key_allows(exp, code):
    """`0 < exp - iat <= lifetime` of the key, both bounds exact."""
    assert verdict(exp=exp) is code


@pytest.mark.parametrize(
    ("after_exp", "code"),
    [(-1, None), (0, None), (29.999, None), (30, Code.EXPIRED), (1000, Code.EXPIRED)],
)
def test_a_token_expires_after_the_leeway(after_exp, code):
    """At `exp + leeway` it has expired (RFC 7519 section 4.1.4: *on or after*)."""
    assert verdict(now=CLAIMS["exp"] + after_exp) is code


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "code"), [(0, None), (30, None), (31, Code.NOT_YET_VALID)])
def test_a_token_of_the_future_is_not_yet_valid(name, ahead, code):
    """Both `iat` and `nbf` may be ahead by the leeway, and no more."""
    changes = {name: NOW + ahead, "exp": NOW + ahead + LIFETIME, "iat": NOW + ahead}
    if name == "nbf":
        changes |= {"iat": NOW, "exp": NOW + LIFETIME}
    assert verdict(**changes) is code
