"""Cut-offs: which tokens are refused before they expire, although their key remains valid.

A cut-off identifies a client, a subject or a single token by a digest of the claim's value, so that
all take the same small space in the document. It refuses tokens issued before a given time. A block
is a client's cut-off without an end, and refuses all tokens of that client.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from keyturn.keyset.errors import InvariantBroken

DIGEST_LENGTH = 16  # characters of base64url: 96 bits, so that a second preimage is infeasible
_DIGEST_BYTES = 12  # the same before encoding


class Claim(StrEnum):
    """The claim by which tokens are cut off."""

    CLIENT = "client_id"
    SUBJECT = "sub"
    TOKEN = "jti"  # noqa: S105, the name of a claim


def digest_of(value: str) -> str:
    """The digest of a claim's value: the first 96 bits of its SHA-256, in base64url."""
    return urlsafe_b64encode(sha256(value.encode()).digest()[:_DIGEST_BYTES]).decode()


@dataclass(frozen=True, slots=True)
class CutOff:
    """Refuses the tokens whose `claim` has this digest and that were issued before `before`.

    At `until` the last of them has expired, and the cut-off ends. Without `until` the client is
    blocked: all its tokens are refused, whenever they were issued, until it is released.
    """

    claim: Claim
    digest: str
    before: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.until is None and self.claim is not Claim.CLIENT:
            raise InvariantBroken("only a client can be blocked")
        if self.until is not None and self.until <= self.before:
            raise InvariantBroken("a cut-off lives longer than the tokens that it refuses")

    @property
    def is_block(self) -> bool:
        """Whether it lasts until the client is released."""
        return self.until is None

    def is_over(self, now: datetime) -> bool:
        """Whether all tokens that it refuses have expired."""
        return self.until is not None and now > self.until

    def refuses(self, issued_at: float) -> bool:
        """Whether it refuses a token with this `iat` (epoch seconds)."""
        return self.until is None or issued_at < self.before.timestamp()

    def merge(self, other: "CutOff") -> "CutOff":
        """A cut-off as strict as both, so that adding one never weakens another."""
        until = None if self.until is None or other.until is None else max(self.until, other.until)
        return replace(self, before=max(self.before, other.before), until=until)


# By the digest's bytes: encoding each token's digests would take as long as hashing them.
Index = Mapping[Claim, Mapping[bytes, CutOff]]


def merge(cutoffs: Iterable[CutOff], others: Iterable[CutOff]) -> tuple[CutOff, ...]:
    """All of them in order; two cut-offs of the same value become one as strict as both."""
    by_value = {(cutoff.claim, cutoff.digest): cutoff for cutoff in cutoffs}
    for cutoff in others:
        value = (cutoff.claim, cutoff.digest)
        by_value[value] = cutoff.merge(by_value.get(value, cutoff))
    return tuple(by_value[value] for value in sorted(by_value))


def index_by_claim(cutoffs: Iterable[CutOff]) -> Index:
    """The cut-offs by claim and digest; raises InvariantBroken for a value with two cut-offs."""
    by_claim: dict[Claim, dict[bytes, CutOff]] = {}
    for cutoff in cutoffs:
        by_digest = by_claim.setdefault(cutoff.claim, {})
        if by_digest.setdefault(urlsafe_b64decode(cutoff.digest), cutoff) is not cutoff:
            raise InvariantBroken("a claim's value is cut off at most once")
    return by_claim


def find_by_digest(by_claim: Index, claim: Claim, digest: str) -> CutOff | None:
    """The cut-off of the claim's value with this digest, if there is one."""
    return by_claim.get(claim, {}).get(urlsafe_b64decode(digest))


def find_match(by_claim: Index, claims: Mapping[str, Any]) -> CutOff | None:
    """The cut-off that refuses a token with these verified claims, if there is one."""
    for claim, by_digest in by_claim.items():
        cutoff = by_digest.get(sha256(claims[claim].encode()).digest()[:_DIGEST_BYTES])
        if cutoff and cutoff.refuses(claims["iat"]):
            return cutoff
    return None
