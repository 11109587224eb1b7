"""The claims of an access token: what is made, and what is believed at which instant."""

import pytest

from keyturn.tokens.claims import Expectations, build, check_claims
from keyturn.tokens.errors import Code, TokenRefused

NOW = 1_772_366_400
LIFETIME = 60
EXPECTED = Expectations(issuer="https://issuer.example", audience="orders", leeway=30)
CLAIMS = {
    "iss": "https://issuer.example",
    "sub": "user-1",
    "aud": "orders",
    "exp": NOW + LIFETIME,
    "iat": NOW,
    "nbf": NOW,
    "jti": "id-1",
    "client_id": "arn:aws:iam::123456789012:role/shop",
    "scope": "orders:read orders:write",
}


def verdict(now: float = NOW, lifetime: int = LIFETIME, **changes: object) -> Code | None:
    """Why CLAIMS with these changes are refused, or None; a claim set to `...` is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    try:
        check_claims(claims, EXPECTED, lifetime=lifetime, now=now)
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
    """A token is valid from now on for exactly the lifetime that was asked."""
    assert built() == CLAIMS


def test_build_carries_the_callers_own_claims():
    """Claims of the caller's own stand beside the profile's; an empty scope is left out."""
    made = built(scope="", extra={"tenant": {"id": 7}})
    assert made == {**{k: v for k, v in CLAIMS.items() if k != "scope"}, "tenant": {"id": 7}}


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_build_refuses_an_extra_claim_of_its_own_names(name):
    """Whatever decided about them before: an extra claim never replaces what the issuer says."""
    with pytest.raises(ValueError, match="one of the issuer's claims"):
        built(scope="", extra={"fine": 1, name: "x"})


def test_good_claims_hold():
    """What `build` builds, `check_claims` accepts, also without a scope or with claims nobody expects."""
    assert verdict() is None
    assert verdict(scope=...) is None
    assert verdict(scope="", tenant={"id": 7}) is None


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "jti", "client_id"])
@pytest.mark.parametrize("value", [..., "", None, 7, True, ["orders"], {"a": "b"}], ids=repr)
def test_texts_are_required_and_not_empty(name, value):
    """A missing, empty or differently typed text is refused, a list of audiences too."""
    assert verdict(**{name: value}) is Code.CLAIMS


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value", [..., None, True, False, float(NOW), 1e300, str(NOW), "", [NOW], {}], ids=repr
)
def test_instants_are_required_integers(name, value):
    """A missing instant, a boolean, a float or a text is refused."""
    assert verdict(**{name: value}) is Code.CLAIMS


@pytest.mark.parametrize("scope", [None, 7, True, ["orders:read"], {}], ids=repr)
def test_a_scope_is_text(scope):
    """A scope may be missing, but not of another type."""
    assert verdict(scope=scope) is Code.CLAIMS


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("iss", "https://issuer.example/", Code.ISSUER),
        ("iss", "HTTPS://issuer.example", Code.ISSUER),
        ("aud", "orders ", Code.AUDIENCE),
        ("aud", "Orders", Code.AUDIENCE),
        ("aud", "order", Code.AUDIENCE),
    ],
)
def test_issuer_and_audience_match_exactly(name, value, code):
    """Almost the same is another issuer, another audience."""
    assert verdict(**{name: value}) is code


@pytest.mark.parametrize(
    ("exp", "code"),
    [
        (NOW + LIFETIME + 1, Code.LIFETIME),
        (NOW + LIFETIME, None),
        (NOW + 1, None),
        (NOW, Code.LIFETIME),
        (NOW - 1, Code.LIFETIME),
        (10**1000, Code.LIFETIME),
        (-(10**1000), Code.LIFETIME),
    ],
    ids=["a second over", "exactly", "a second", "zero", "negative", "huge", "hugely negative"],
)
def test_a_token_lives_no_longer_than_its_key_allows(exp, code):
    """`0 < exp - iat <= lifetime` of the key, both bounds exact."""
    assert verdict(exp=exp) is code


@pytest.mark.parametrize(
    ("after_exp", "code"),
    [(-1, None), (0, None), (29.999, None), (30, Code.EXPIRED), (1000, Code.EXPIRED)],
)
def test_a_token_expires_after_the_leeway(after_exp, code):
    """At `exp + leeway` it is over (RFC 7519 section 4.1.4: *on or after*)."""
    assert verdict(now=CLAIMS["exp"] + after_exp) is code


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "code"), [(0, None), (30, None), (31, Code.NOT_YET_VALID)])
def test_a_token_of_the_future_is_not_yet_valid(name, ahead, code):
    """Both `iat` and `nbf` may be ahead by the leeway, and no more."""
    changes = {name: NOW + ahead, "exp": NOW + ahead + LIFETIME, "iat": NOW + ahead}
    if name == "nbf":
        changes |= {"iat": NOW, "exp": NOW + LIFETIME}
    assert verdict(**changes) is code


def test_huge_instants_are_only_numbers():
    """Integers that no clock reaches are compared like others."""
    far = 10**1000
    assert verdict(iat=far, exp=far + 1, nbf=NOW) is Code.NOT_YET_VALID
    assert verdict(iat=-far, exp=-far + 1) is Code.EXPIRED
    assert verdict(nbf=far) is Code.NOT_YET_VALID
    assert verdict(nbf=-far) is None
