"""What the unit tests share: the periods of two deployments, RSA keys, tokens nobody should make."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from keyturn.keyset.timing import Ages, Times


@pytest.fixture(scope="session")
def times() -> Times:
    """The default settings."""
    return Times(
        view_ttl=30,
        propagation=7500,
        token_lifetime=3600,
        leeway=30,
        clock_skew=10,
        issuer_timeout=10,
        write_delay=20,
        result_ttl=0,
        rotation_period=2_592_000,
        stale_limit=300,
        jwks_max_age=300,
        cdn_ttl=0,
    )


@pytest.fixture(scope="session")
def demo_times() -> Times:
    """The settings of the demo, with nothing to spare."""
    return Times(
        view_ttl=1,
        propagation=4,
        token_lifetime=15,
        leeway=2,
        clock_skew=1,
        issuer_timeout=5,
        write_delay=5,
        result_ttl=0,
        rotation_period=40,
        stale_limit=10,
        jwks_max_age=1,
        cdn_ttl=0,
    )


@pytest.fixture(scope="session")
def ages() -> Ages:
    """The fixed ages as deployed."""
    return Ages()


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    """The key that signs."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_rsa_key() -> rsa.RSAPrivateKey:
    """A key of the right size that nobody trusts."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def large_rsa_key() -> rsa.RSAPrivateKey:
    """A key of the wrong size."""
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


@pytest.fixture(scope="session")
def forge(rsa_key):
    """Sign any header and payload: members as a dict, JSON as bytes, a segment as text."""

    def segment(part: dict | bytes | str) -> str:
        if isinstance(part, str):
            return part
        raw = json.dumps(part).encode() if isinstance(part, dict) else part
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def forge(header: dict | bytes | str, payload: dict | bytes | str, key=rsa_key) -> str:
        signed = f"{segment(header)}.{segment(payload)}"
        return f"{signed}.{segment(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"

    return forge
