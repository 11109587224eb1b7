"""The verifiers that Keyturn is checked against, and how each refuses a token."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.verifiers import gateway, own, process
from tests.verifiers.issuer import Issuer
from tests.verifiers.web import Site

LINES = Path(__file__).parent / "lines"


class Running(Protocol):
    """A verifier that can be asked."""

    def start(self, issuer: Issuer, options: Mapping[str, Any]) -> None:
        """Make a new verifier of this issuer's tokens, which knows no key yet."""

    def refusal(self, issuer: Issuer, token: str) -> str | None:
        """What the token is refused with at the issuer's `now`, None if it is accepted."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a token is refused with, by what is wrong with it."""

    unknown_kid: str
    expired: str
    audience: str
    issuer: str
    signature: str
    retired: str
    revoked: str
    long_life: str | None = None  # longer than the key allows


def _by_jwks(*, unknown_kid: str, **others: str) -> Refusals:
    """Of who knows kids from the JWKS only: one that has gone is like one that never was."""
    return Refusals(unknown_kid, retired=unknown_kid, revoked=unknown_kid, **others)


@dataclass(frozen=True, slots=True)
class Verifier:
    """`package` is the published one, `better` the options that the table recommends.

    `lines` is how it is used, and `link` where the docs say more.
    """

    name: str
    package: str
    link: str
    refusals: Refusals
    lines: Path | None = None
    better: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def running(self, site: Site, folder: Path) -> Iterator[Running]:
        """This verifier, running, with its files in `folder`."""
        if self.package == "keyturn":
            yield own.Authorizer()
        elif self.package == "ministack":
            with gateway.running(folder, site.origin, site.authority) as stand_in:
                yield stand_in
        else:
            assert self.lines
            with process.running(self.lines, site.authority) as library:
                yield library


VERIFIERS = (
    Verifier(
        "Keyturn's own authorizer",
        "keyturn",
        "use-it.md#protect-an-api",
        Refusals(
            unknown_kid="unknown_kid",
            expired="expired",
            audience="audience",
            issuer="issuer",
            signature="signature",
            retired="key_retired",
            revoked="key_revoked",
            long_life="lifetime",
        ),
    ),
    Verifier(
        "PyJWT",
        "pyjwt",
        "#pyjwt",
        _by_jwks(
            unknown_kid="PyJWKClientError",
            expired="ExpiredSignatureError",
            audience="InvalidAudienceError",
            issuer="InvalidIssuerError",
            signature="InvalidSignatureError",
        ),
        LINES / "pyjwt.py",
        {"lifespan": 60, "cooldown_duration": 5},
    ),
    Verifier(
        "joserfc",
        "joserfc",
        "#joserfc",
        _by_jwks(
            unknown_kid="InvalidKeyIdError",
            expired="ExpiredTokenError",
            audience="InvalidClaimError",
            issuer="InvalidClaimError",
            signature="BadSignatureError",
        ),
        LINES / "joserfc.py",
        {"max_age": 60},
    ),
    Verifier(
        "Powertools",
        "aws-lambda-powertools",
        "#powertools",
        _by_jwks(
            unknown_kid="InvalidTokenError",
            expired="TokenExpiredError",
            audience="InvalidClaimsError",
            issuer="InvalidClaimsError",
            signature="InvalidSignatureError",
        ),
        LINES / "powertools.py",
        {"jwks_max_age_seconds": 60, "unknown_kid_cooldown_seconds": 5},
    ),
    Verifier(
        "jose",
        "jose",
        "#jose",
        _by_jwks(
            unknown_kid="JWKSNoMatchingKey",
            expired="JWTExpired",
            audience="JWTClaimValidationFailed",
            issuer="JWTClaimValidationFailed",
            signature="JWSSignatureVerificationFailed",
        ),
        LINES / "jose.mjs",
        {"cacheMaxAge": 60_000, "cooldownDuration": 5_000},
    ),
    Verifier(
        "aws-jwt-verify",
        "aws-jwt-verify",
        "#aws-jwt-verify",
        _by_jwks(
            unknown_kid="KidNotFoundInJwksError",
            expired="JwtExpiredError",
            audience="JwtInvalidAudienceError",
            issuer="JwtInvalidIssuerError",
            signature="JwtInvalidSignatureError",
        ),
        LINES / "aws_jwt_verify.mjs",
        {"maxAge": 60},
    ),
    Verifier(
        "API Gateway's JWT authorizer, played by MiniStack",
        "ministack",
        "#api-gateway",
        _by_jwks(unknown_kid="401", expired="401", audience="401", issuer="401", signature="401"),
        LINES / "api_gateway.py",
    ),
)
