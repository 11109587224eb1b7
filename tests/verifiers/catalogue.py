"""The verifiers that Keyturn is held against, and what each says when it refuses a token."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.verifiers import gateway, process
from tests.verifiers.issuer import Issuer
from tests.verifiers.site import Site

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


@dataclass(frozen=True, slots=True)
class Verifier:
    """`package` is the published one, `lines` how it is used, `better` the options of the table."""

    name: str
    package: str
    lines: Path
    refusals: Refusals
    better: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def running(self, site: Site, folder: Path) -> Iterator[Running]:
        """This verifier, running, with its files in `folder`."""
        if self.package == "ministack":
            with gateway.running(folder, site.origin, site.authority) as stand_in:
                yield stand_in
        else:
            with process.running(self.lines, site.authority) as own:
                yield own


VERIFIERS = (
    Verifier(
        "PyJWT",
        "pyjwt",
        LINES / "pyjwt.py",
        Refusals(
            unknown_kid="PyJWKClientError",
            expired="ExpiredSignatureError",
            audience="InvalidAudienceError",
            issuer="InvalidIssuerError",
            signature="InvalidSignatureError",
        ),
        {"lifespan": 60, "cooldown_duration": 5},
    ),
    Verifier(
        "joserfc",
        "joserfc",
        LINES / "joserfc.py",
        Refusals(
            unknown_kid="InvalidKeyIdError",
            expired="ExpiredTokenError",
            audience="InvalidClaimError",
            issuer="InvalidClaimError",
            signature="BadSignatureError",
        ),
        {"max_age": 60},
    ),
    Verifier(
        "Powertools",
        "aws-lambda-powertools",
        LINES / "powertools.py",
        Refusals(
            unknown_kid="InvalidTokenError",
            expired="TokenExpiredError",
            audience="InvalidClaimsError",
            issuer="InvalidClaimsError",
            signature="InvalidSignatureError",
        ),
        {"jwks_max_age_seconds": 60, "unknown_kid_cooldown_seconds": 5},
    ),
    Verifier(
        "jose",
        "jose",
        LINES / "jose.mjs",
        Refusals(
            unknown_kid="JWKSNoMatchingKey",
            expired="JWTExpired",
            audience="JWTClaimValidationFailed",
            issuer="JWTClaimValidationFailed",
            signature="JWSSignatureVerificationFailed",
        ),
        {"cacheMaxAge": 60_000, "cooldownDuration": 5_000},
    ),
    Verifier(
        "aws-jwt-verify",
        "aws-jwt-verify",
        LINES / "aws_jwt_verify.mjs",
        Refusals(
            unknown_kid="KidNotFoundInJwksError",
            expired="JwtExpiredError",
            audience="JwtInvalidAudienceError",
            issuer="JwtInvalidIssuerError",
            signature="JwtInvalidSignatureError",
        ),
        {"maxAge": 60},
    ),
    Verifier(
        "API Gateway's JWT authorizer, played by MiniStack",
        "ministack",
        LINES / "api_gateway.py",
        Refusals("401", "401", "401", "401", "401"),
    ),
)
