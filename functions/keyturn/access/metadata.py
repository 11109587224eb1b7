"""The metadata documents from which standard clients and verifiers configure themselves.

Sources: OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2, RFC 9728 section 2;
docs/decisions/0026.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Document = Mapping[str, Any]

# Callers sign requests with their IAM credentials. No registered method describes that; RFC 7591
# section 2 allows an absolute URI, and without this member the default is client_secret_basic.
IAM_SIGNATURE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"
_HOST = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?"
_SEGMENT = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
_RESOURCE = re.compile(rf"https://({_HOST}(?:/{_SEGMENT})*/?)")


def authorization_server(issuer: str, jwks_url: str, token_url: str) -> Document:
    """RFC 8414. The client's name is appended to `token_url`: `POST <token_url>/<client>`."""
    return {
        "issuer": issuer,
        "jwks_uri": jwks_url,
        "token_endpoint": token_url,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "token_endpoint_auth_methods_supported": [IAM_SIGNATURE],
    }


def openid_provider(issuer: str, jwks_url: str, token_url: str) -> Document:
    """OpenID Connect Discovery, for verifiers that support nothing else.

    It requires an https URL as `authorization_endpoint`. There is no such endpoint; the URL says
    so.
    """
    return {
        **authorization_server(issuer, jwks_url, token_url),
        "authorization_endpoint": f"{issuer}/authorization-endpoint-not-supported",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def resource_path(audience: str) -> str | None:
    """Host and path of an audience with metadata: an https URL without query or fragment."""
    resource = _RESOURCE.fullmatch(audience)
    return resource[1] if resource else None


def protected_resource(issuer: str, audience: str, scopes: Iterable[str]) -> Document:
    """RFC 9728 for the APIs with this audience; empty members are omitted (section 3.2)."""
    document: dict[str, Any] = {
        "resource": audience,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
    }
    if supported := sorted(set(scopes)):
        document["scopes_supported"] = supported
    return document
