"""Verify Keyturn's tokens with Powertools for AWS Lambda, extra `jwt`."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.auth_alpha import JWTVerifier


def verifier(issuer: str, audience: str, **options: Any) -> Callable[[str], dict[str, Any]]:
    """What returns a token's claims, or raises; `options` are JWTVerifier's."""
    return JWTVerifier(
        issuer=issuer,
        audience=audience,
        algorithms=["RS256"],
        expected_headers={"typ": "at+jwt"},
        clock_skew_seconds=30,
        **options,
    ).verify
