"""Other Python libraries, as their own documentation uses them, with the same checks as ours."""

import base64
import warnings
from typing import Any

import jwt
from aws_lambda_powertools.utilities.auth_alpha import JWTVerifier
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jose import jwt as python_jose
from joserfc import jwt as joserfc
from joserfc.jwk import KeySet
from rounds import insist, load, serve

warnings.simplefilter("ignore")
material = load()
issuer, audience = material["issuer"], material["audience"]
required = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id"]
der = material["der"]
key: Any = load_der_public_key(base64.urlsafe_b64decode(der + "=" * (-len(der) % 4)))
jwks = jwt.PyJWKSet.from_dict(material["jwks"])
key_set = KeySet.import_key_set(material["jwks"])
registry = joserfc.JWTClaimsRegistry(
    leeway=30,
    **{name: {"essential": True} for name in required}
    | {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": audience},
    },
)
powertools = JWTVerifier(
    issuer=issuer,
    audience=audience,
    algorithms=["RS256"],
    jwks=material["jwks"],
    required_claims=required,
    expected_headers={"typ": "at+jwt"},
    clock_skew_seconds=30,
)
[members] = material["jwks"]["keys"]


def _pyjwt(token: str, found: Any) -> object:
    return jwt.decode(
        token,
        found,
        algorithms=["RS256"],
        issuer=issuer,
        audience=audience,
        leeway=30,
        options={"require": required},
    )


def pyjwt_key(token: str) -> object:
    """PyJWT with the key in hand."""
    return _pyjwt(token, key)


def pyjwt_lookup(token: str) -> object:
    """PyJWT with a lookup by kid in a parsed JWKS."""
    return _pyjwt(token, jwks[jwt.get_unverified_header(token)["kid"]].key)


def by_joserfc(token: str) -> object:
    """Joserfc with a key set."""
    claims = joserfc.decode(token, key_set, algorithms=["RS256"]).claims
    registry.validate(claims)
    return claims


def by_python_jose(token: str) -> object:
    """Python-jose with the JWK."""
    return python_jose.decode(
        token,
        members,
        algorithms=["RS256"],
        issuer=issuer,
        audience=audience,
        options={"leeway": 30, **{f"require_{name}": True for name in required[:7]}},
    )


serve(
    {
        name: insist(verify, material)
        for name, verify in {
            "PyJWT, key in hand": pyjwt_key,
            "PyJWT, lookup by kid": pyjwt_lookup,
            "joserfc": by_joserfc,
            "python-jose": by_python_jose,
            "Powertools JWTVerifier (alpha)": powertools.verify,
        }.items()
    },
    material,
)
