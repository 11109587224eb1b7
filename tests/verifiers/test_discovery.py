"""Two third-party libraries check the metadata: authlib, and oauth4webapi over HTTPS."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from keyturn.access.metadata import protected_resource
from tests.verifiers.issuer import Issuer
from tests.verifiers.web import Site

VALIDATORS = {
    "oauth-authorization-server": AuthorizationServerMetadata,
    "openid-configuration": OpenIDProviderMetadata,
}
# OpenID Connect Discovery 1.0 section 3; RFC 8414 section 2.
REQUIRED = {
    "oauth-authorization-server": {"issuer", "token_endpoint", "response_types_supported"},
    "openid-configuration": {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    },
}


def _document(site: Site, issuer: Issuer, name: str) -> dict[str, Any]:
    output = site.find(f"{issuer.url.removeprefix(site.origin)}/.well-known/{name}")
    assert output
    document: dict[str, Any] = json.loads(output[0])
    return document


@pytest.mark.parametrize("name", VALIDATORS)
def test_authlib_accepts_the_metadata(site: Site, issuer: Issuer, name: str) -> None:
    """authlib accepts every member, and misses none that is required."""
    VALIDATORS[name](_document(site, issuer, name)).validate()


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_required_is_there(site: Site, issuer: Issuer, name: str) -> None:
    """authlib asks for an authorization endpoint only where a grant type uses it; OpenID Connect always."""
    assert REQUIRED[name] <= _document(site, issuer, name).keys()


def test_oauth4webapi_finds_its_way(site: Site, issuer: Issuer) -> None:
    """It finds the issuer by RFC 8414, by OpenID Connect, and from a resource's metadata (RFC 9728)."""
    resource = protected_resource(issuer.url, "https://orders.example", ["orders:read"])
    script = str(Path(__file__).parent / "discover.mjs")
    ran = subprocess.run(
        ["node", script, issuer.url, resource["resource"], json.dumps(resource)],
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(site.authority)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    output = json.loads(ran.stdout)
    for name, algorithm in (
        ("oauth-authorization-server", "oauth2"),
        ("openid-configuration", "oidc"),
    ):
        assert output[algorithm] == _document(site, issuer, name)
    assert output["resource"]["authorization_servers"] == [output["oauth2"]["issuer"]]
