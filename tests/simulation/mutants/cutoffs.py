"""Mutants of the cut-offs by which tokens are taken back."""

from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from keyturn.api import issue_token
from keyturn.keyset import cutoffs, timing, token_revocation
from keyturn.keyset.cutoffs import CutOff, Index
from keyturn.keyset.model import Keyset
from keyturn.keyset.token_revocation import NotBlocked
from keyturn.rotation import revoke_keys
from keyturn.rotation.task import EmergencyInput
from tests.simulation.mutants.patching import rebuilt


def a_token_of_the_instant_is_hit() -> AbstractContextManager[Any]:
    """Whose `iat` equals it."""

    def refuses(self: CutOff, issued: float) -> bool:
        return self.until is None or issued <= self.before.timestamp()

    return patch.object(CutOff, "refuses", refuses)


def the_instant_lacks_epsilon() -> AbstractContextManager[Any]:
    """Issuers are never ahead."""

    def cutoff_before(ordered: datetime, _times: Any) -> datetime:
        return timing.whole_second(ordered + timedelta(seconds=1))

    return patch.object(timing, "cutoff_before", cutoff_before)


def the_instant_is_that_of_each_attempt() -> AbstractContextManager[Any]:
    """A step that runs again cuts off what was issued since."""

    def run(stack: Any, event: Any) -> Any:
        plan = event.plan.model_copy(update={"at": stack.clock.now()})
        return real(stack, event.model_copy(update={"plan": plan}))

    real = revoke_keys.run
    return rebuilt(revoke_keys, EmergencyInput, run)


def the_later_cut_off_counts() -> AbstractContextManager[Any]:
    """Even if it is the weaker."""
    return patch.object(CutOff, "merge", lambda self, _other: self)


def a_cut_off_is_over_at_its_instant() -> AbstractContextManager[Any]:
    """As if the tokens that it refuses were dead by then."""
    return patch.object(
        CutOff, "is_over", lambda self, now: self.until is not None and now > self.before
    )


def a_cut_off_is_never_over() -> AbstractContextManager[Any]:
    """It takes its room for good."""
    return patch.object(CutOff, "is_over", lambda _self, _now: False)


def a_digest_is_compared_by_its_beginning() -> AbstractContextManager[Any]:
    """Other values begin like it."""

    def find_match(by_claim: Index, claims: Mapping[str, Any]) -> CutOff | None:
        for claim, by_digest in by_claim.items():
            wanted = urlsafe_b64decode(cutoffs.digest_of(claims[claim]))
            for digest, cutoff in by_digest.items():
                if digest[0] == wanted[0] and cutoff.refuses(claims["iat"]):
                    return cutoff
        return None

    return patch.object(cutoffs, "find_match", find_match)


def the_authorizer_knows_no_cut_offs() -> AbstractContextManager[Any]:
    """Only the issuer does, which signs the rest of its tokens in a moment."""
    issuing = ("client_id", "sub", "jti", "iat")

    def refusing_cutoff(self: Keyset, claims: Mapping[str, Any]) -> CutOff | None:
        return real(self, claims) if set(claims) == set(issuing) else None

    real = Keyset.refusing_cutoff
    return patch.object(Keyset, "refusing_cutoff", refusing_cutoff)


def the_issuer_signs_what_is_cut_off() -> AbstractContextManager[Any]:
    """And the client gets a token that every API refuses."""
    return patch.object(issue_token, "_check_cutoffs", lambda *_arguments: None)


def a_release_drops_the_cut_off() -> AbstractContextManager[Any]:
    """With it what was issued before."""

    def release(keyset: Keyset, clients: Iterable[str], **how: Any) -> Keyset:
        released = frozenset(clients)
        if real(keyset, released, **how) == keyset:
            return keyset
        kept = [one for one in keyset.cutoffs if not (one.is_block and one.digest in released)]
        return replace(keyset, cutoffs=tuple(kept))

    real = token_revocation.release
    return patch.object(revoke_keys, "release", release)


def a_release_needs_no_block() -> AbstractContextManager[Any]:
    """It is done, says one that finds none: perhaps because it has overtaken it."""

    def release(keyset: Keyset, clients: Collection[str], **how: Any) -> Keyset:
        try:
            return real(keyset, clients, **how)
        except NotBlocked:
            return keyset

    real = token_revocation.release
    return patch.object(revoke_keys, "release", release)


def a_block_that_runs_again_blocks_again() -> AbstractContextManager[Any]:
    """Although the client was released since."""

    def cut_off(keyset: Keyset, requested: Any, now: datetime, **how: Any) -> Keyset:
        if not how.get("block"):
            return real(keyset, requested, now, **how)
        standing = {(one.claim, one.digest): one for one in keyset.cutoffs}
        for claim, digest in requested:
            block = CutOff(claim, digest, how["before"])
            standing[claim, digest] = block.merge(standing.get((claim, digest), block))
        together = sorted(standing.values(), key=lambda one: (one.claim, one.digest))
        return replace(keyset, cutoffs=tuple(together))

    real = token_revocation.cut_off
    return patch.object(revoke_keys, "cut_off", cut_off)
