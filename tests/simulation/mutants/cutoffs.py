"""Mutants of the cut-offs by which tokens are revoked."""

from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta

from keyturn.api import issue_token
from keyturn.keyset import cutoffs, timing
from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.model import Keyset
from keyturn.keyset.token_revocation import NotBlocked
from keyturn.rotation import revoke_keys
from keyturn.rotation.task import EmergencyInput
from tests.simulation.mutants.patching import around, in_step, instead_of


@instead_of("refuses", CutOff)
def a_token_of_the_instant_is_hit(self, issued):
    """A token whose `iat` equals the cut-off's instant is refused."""
    return self.until is None or issued <= self.before.timestamp()


@instead_of("cutoff_before", timing)
def the_instant_lacks_epsilon(ordered, _times):
    """Issuers' clocks are taken to be never ahead."""
    return timing.whole_second(ordered + timedelta(seconds=1))


@in_step(revoke_keys, EmergencyInput)
def the_instant_is_that_of_each_attempt(real, stack, event):
    """A step that runs again cuts off what was issued since."""
    plan = event.plan.model_copy(update={"at": stack.clock.now()})
    return real(stack, event.model_copy(update={"plan": plan}))


@instead_of("merge", CutOff)
def the_later_cut_off_counts(self, _other):
    """The later of two cut-offs wins even if it is the weaker."""
    return self


@instead_of("is_over", CutOff)
def a_cut_off_is_over_at_its_instant(self, now):
    """The tokens that it refuses are taken to have expired by then."""
    return self.until is not None and now > self.before


@instead_of("is_over", CutOff)
def a_cut_off_is_never_over(_self, _now):
    """A cut-off is kept for ever."""
    return False


@instead_of("find_match", cutoffs)
def a_digest_is_compared_by_its_beginning(by_claim, claims):
    """A cut-off also hits other values whose digests begin like its own."""
    for claim, by_digest in by_claim.items():
        wanted = urlsafe_b64decode(cutoffs.digest_of(claims[claim]))
        for digest, cutoff in by_digest.items():
            if digest[0] == wanted[0] and cutoff.refuses(claims["iat"]):
                return cutoff
    return None


@around("refusing_cutoff", Keyset)
def the_authorizer_knows_no_cut_offs(real, self, claims):
    """Only the issuer checks them: it has these four claims, and adds the others when it signs."""
    return real(self, claims) if set(claims) == {"client_id", "sub", "jti", "iat"} else None


@instead_of("_check_cutoffs", issue_token)
def the_issuer_signs_what_is_cut_off(*_arguments):
    """The client gets a token that every API refuses."""


@around("release", revoke_keys)
def a_release_drops_the_cut_off(real, keyset, clients, **options):
    """A release also lets in the tokens that were issued before the block."""
    released = frozenset(clients)
    if real(keyset, released, **options) == keyset:
        return keyset
    others = [one for one in keyset.cutoffs if not (one.is_block and one.digest in released)]
    return replace(keyset, cutoffs=tuple(others))


@around("release", revoke_keys)
def a_release_needs_no_block(real, keyset, clients, **options):
    """A release that finds no block succeeds, though it may have overtaken the block."""
    try:
        return real(keyset, clients, **options)
    except NotBlocked:
        return keyset


@around("cut_off", revoke_keys)
def a_block_that_runs_again_blocks_again(real, keyset, requested, now, **options):
    """A block's step that runs again undoes the release in between."""
    if not options.get("block"):
        return real(keyset, requested, now, **options)
    by_value = {(one.claim, one.digest): one for one in keyset.cutoffs}
    for claim, digest in requested:
        block = CutOff(claim, digest, options["before"])
        by_value[claim, digest] = block.merge(by_value.get((claim, digest), block))
    together = sorted(by_value.values(), key=lambda one: (one.claim, one.digest))
    return replace(keyset, cutoffs=tuple(together))
