"""Which tokens are refused before they expire, although their key signs on: cut-offs.

A cut-off names a client, a subject or a single token by a digest of the claim's value, so that each
takes as little of the document as the next. It hits what was issued before an instant; a blocked client
is one without an end, which hits whatever it has.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from keyturn.keyset.errors import InvariantBroken

DIGEST_LENGTH = 16  # characters of base64url: 96 bits, so that nobody finds a second value
_DIGEST_BYTES = 12  # the same, before it is encoded


class Claim(StrEnum):
    """By which of its claims a token is cut off."""

    CLIENT = "client_id"
    SUBJECT = "sub"
    TOKEN = "jti"  # noqa: S105, the name of a claim


def digest_of(value: str) -> str:
    """What stands for a claim's value: the beginning of its SHA-256 in base64url."""
    return urlsafe_b64encode(sha256(value.encode()).digest()[:_DIGEST_BYTES]).decode()


@dataclass(frozen=True, slots=True)
class CutOff:
    """Refuses the tokens whose `claim` has this digest and that were issued before `before`.

    `until` is when the last of them is dead, and the cut-off with it. Without it the client is
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
        """Whether it lasts until somebody releases the client."""
        return self.until is None

    def is_over(self, now: datetime) -> bool:
        """Whether no token that it refuses can be alive."""
        return self.until is not None and now > self.until

    def refuses(self, issued_at: float) -> bool:
        """Whether it refuses a token of this `iat`, in epoch seconds."""
        return self.until is None or issued_at < self.before.timestamp()

    def merge(self, other: "CutOff") -> "CutOff":
        """As strict as both: adding a cut-off never weakens another."""
        until = None if self.until is None or other.until is None else max(self.until, other.until)
        return replace(self, before=max(self.before, other.before), until=until)


# By the digest's bytes: to encode each token's digests would take as long as to hash them.
Index = Mapping[Claim, Mapping[bytes, CutOff]]


def merge(cutoffs: Iterable[CutOff], others: Iterable[CutOff]) -> tuple[CutOff, ...]:
    """All of them in order; of a claim's value that both cut off, one that is as strict as both."""
    by_value = {(cutoff.claim, cutoff.digest): cutoff for cutoff in cutoffs}
    for cutoff in others:
        value = (cutoff.claim, cutoff.digest)
        by_value[value] = cutoff.merge(by_value.get(value, cutoff))
    return tuple(by_value[value] for value in sorted(by_value))


def index_by_claim(cutoffs: Iterable[CutOff]) -> Index:
    """The same by claim and digest; raises InvariantBroken for one that is named twice."""
    by_claim: dict[Claim, dict[bytes, CutOff]] = {}
    for cutoff in cutoffs:
        by_digest = by_claim.setdefault(cutoff.claim, {})
        if by_digest.setdefault(urlsafe_b64decode(cutoff.digest), cutoff) is not cutoff:
            raise InvariantBroken("a claim's value is cut off at most once")
    return by_claim


def find_by_digest(by_claim: Index, claim: Claim, digest: str) -> CutOff | None:
    """The cut-off of this claim's value."""
    return by_claim.get(claim, {}).get(urlsafe_b64decode(digest))


def find_match(by_claim: Index, claims: Mapping[str, Any]) -> CutOff | None:
    """The cut-off that refuses a token with these verified claims, if one does."""
    for claim, by_digest in by_claim.items():
        cutoff = by_digest.get(sha256(claims[claim].encode()).digest()[:_DIGEST_BYTES])
        if cutoff and cutoff.refuses(claims["iat"]):
            return cutoff
    return None
