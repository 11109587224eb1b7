"""RSA keys for KMS, from few generated primes, and their signatures."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import count

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

_EXPONENT = 65_537
_PRIMES: list[int] = []
_KEYS: list[rsa.RSAPrivateKey] = []


def key_material() -> Iterator[rsa.RSAPrivateKey]:
    """RSA keys, created once per process: each has two of a few primes."""
    for number, (p, q) in enumerate(_pairs_of_primes()):
        if number == len(_KEYS):
            _KEYS.append(_rsa_key(p, q))
        yield _KEYS[number]


@lru_cache(maxsize=10_000)  # runs of one script sign the same tokens
def sign(key: rsa.RSAPrivateKey, message: bytes, *, prehashed: bool = False) -> bytes:
    """An RS256 signature of the message, or of the message whose SHA-256 this is."""
    return key.sign(message, PKCS1v15(), Prehashed(SHA256()) if prehashed else SHA256())


def _pairs_of_primes() -> Iterator[tuple[int, int]]:
    for number in count():
        if number == len(_PRIMES):
            numbers = rsa.generate_private_key(_EXPONENT, key_size=2048).private_numbers()
            _PRIMES.extend((numbers.p, numbers.q))
        yield from ((_PRIMES[number], other) for other in _PRIMES[:number])


def _rsa_key(p: int, q: int) -> rsa.RSAPrivateKey:
    d = rsa.rsa_recover_private_exponent(_EXPONENT, p, q)
    halves = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, *halves, public).private_key(
        unsafe_skip_rsa_key_validation=True
    )
