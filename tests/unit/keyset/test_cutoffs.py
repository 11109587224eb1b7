"""Cut-offs: what they hit and what not, how they add up, when they end, and what may follow them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from keyturn.keyset import document, timing
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.errors import DocumentInvalid, InvariantBroken
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.succession import find_violation
from keyturn.keyset.token_revocation import NotBlocked, OrderOvertaken, cut_off, release
from keyturn.keyset.transitions import register

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ACTIVE = Key("A" * 43, "arn:aws:kms:us-east-1:1:key/A", State.ACTIVE, 3600, NOW - HOUR, NOW, NOW)
CLAIMS = {"client_id": "orders", "sub": "ann", "jti": "6f9d3f2e", "iat": 0}
NAMED = ((Claim.CLIENT, "orders"), (Claim.SUBJECT, "ann"), (Claim.TOKEN, "6f9d3f2e"))


def cut(times, limits, keyset, claim, value, now=NOW, *, block=False):
    """Cut off a claim's value at an instant, as one transition."""
    before = timing.cutoff_before(now, times)
    requested = [(claim, digest_of(value))]
    return cut_off(keyset, requested, now, before=before, times=times, limits=limits, block=block)


def token(issued, **claims):
    """The claims of a token issued then."""
    return {**CLAIMS, "iat": int(issued.timestamp()), **claims}


@pytest.mark.parametrize(("claim", "value"), NAMED)
def test_it_hits_what_was_issued_before_its_instant(times, limits, claim, value):
    """Up to the last second before; what was issued at the instant itself is not hit (S15)."""
    keyset = cut(times, limits, Keyset((ACTIVE,)), claim, value)
    (cutoff,) = keyset.cutoffs
    assert keyset.refusing_cutoff(token(cutoff.before - SECOND)) is cutoff
    assert keyset.refusing_cutoff(token(cutoff.before)) is None


@pytest.mark.parametrize(("claim", "value"), NAMED)
@pytest.mark.parametrize(
    "other", ["", "order", "orders2", "ORDERS", "an", "annn", "6f9d3f2", "6f9d3f2e0"]
)
def test_it_hits_nobody_else(times, limits, claim, value, other):
    """Values are compared whole, never by a prefix or without case, and only in their own claim."""
    keyset = cut(times, limits, Keyset((ACTIVE,)), claim, value)
    assert keyset.refusing_cutoff(token(NOW, **{claim: other})) is None
    others = {name: value for name in ("client_id", "sub", "jti") if name != claim}
    assert keyset.refusing_cutoff(token(NOW, **{**others, claim: other})) is None


def test_the_instant_is_later_than_any_iat_until_now(times, limits):
    """An issuer whose clock is ε ahead is covered."""
    (cutoff,) = cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders").cutoffs
    assert cutoff.before > NOW + timedelta(seconds=times.clock_skew)


def test_the_strictest_decides(times, limits):
    """A second cut-off of the same value never weakens the first, in whichever order they come."""
    for first, second in product((NOW, NOW + HOUR), repeat=2):
        keyset = cut(
            times,
            limits,
            cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders", first),
            Claim.CLIENT,
            "orders",
            second,
        )
        (once,) = cut(
            times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders", max(first, second)
        ).cutoffs
        assert keyset.cutoffs == (once,)


def test_two_cut_offs_of_one_token(times, limits):
    """Either refuses it, whatever the other says."""
    keyset = cut(times, limits, Keyset((ACTIVE,)), Claim.SUBJECT, "ann", NOW + HOUR)
    keyset = cut(times, limits, keyset, Claim.CLIENT, "orders", NOW)
    assert keyset.refusing_cutoff(token(NOW + HOUR, client_id="billing"))
    assert keyset.refusing_cutoff(token(NOW, sub="bob"))
    assert keyset.refusing_cutoff(token(NOW + HOUR))


def test_a_blocked_client_is_refused_until_it_is_released(times, limits):
    """Whatever the iat; a later cut-off leaves it blocked; a release leaves what was issued until then."""
    keyset = cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders", block=True)
    assert cut(times, limits, keyset, Claim.CLIENT, "orders").cutoffs[0].is_block
    assert keyset.refusing_cutoff(token(NOW + 1000 * HOUR))
    before = timing.cutoff_before(NOW + HOUR, times)
    with pytest.raises(NotBlocked):
        release(keyset, [digest_of("billing")], before=before, times=times)
    released = release(keyset, [digest_of("orders")], before=before, times=times)
    assert released.refusing_cutoff(token(NOW + HOUR))
    assert released.refusing_cutoff(token(before)) is None


def test_a_release_without_a_block_is_not_taken_for_done(times, limits):
    """The block may be on its way; what was released already stays so, also by a later release."""
    orders, before = [digest_of("orders")], timing.cutoff_before(NOW + HOUR, times)
    for keyset in (
        Keyset((ACTIVE,)),
        cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders"),
    ):
        with pytest.raises(NotBlocked, match="then release the client"):
            release(keyset, orders, before=before, times=times)
    blocked = cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders", block=True)
    released = release(blocked, orders, before=before, times=times)
    assert release(released, orders, before=before, times=times) == released
    assert release(released, orders, before=before - SECOND, times=times) == released


def test_a_block_that_comes_late_is_refused(times, limits):
    """A quarter of an hour later a release since may be forgotten, whatever a later deployment's lifetimes."""
    longer = replace(times, token_lifetime=86_400)
    before = timing.cutoff_before(NOW, times)
    in_time = before + timedelta(minutes=15)

    def block(keyset, now):
        requested = [(Claim.CLIENT, digest_of("orders"))]
        return cut_off(
            keyset, requested, now, before=before, times=longer, limits=limits, block=True
        )

    blocked = block(Keyset((ACTIVE,)), in_time)
    assert blocked.cutoffs[0].is_block
    with pytest.raises(OrderOvertaken):
        block(Keyset((ACTIVE,)), in_time + SECOND)
    assert block(blocked, in_time + SECOND) == blocked
    released = timing.cutoff_until(before + SECOND, lifetime=1)
    assert in_time + timedelta(seconds=timing.BOUNDS["clock_skew"][1]) < released


def test_only_a_client_is_blocked():
    """A subject or a token without an end would be there for ever."""
    with pytest.raises(InvariantBroken, match="only a client"):
        CutOff(Claim.SUBJECT, digest_of("ann"), NOW)


def test_it_ends_with_the_last_token_that_it_refuses(times, limits):
    """No earlier, whatever the leeway of the next deployment; and no later than the next write."""
    keyset = cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders")
    until = keyset.cutoffs[0].until
    last_expiry = keyset.cutoffs[0].before - SECOND + timedelta(seconds=ACTIVE.lifetime)
    assert until >= last_expiry + timedelta(seconds=300 + 60) + timing.MAX_CLOCK_DIFFERENCE
    for now, left in ((until, 1), (until + SECOND, 0)):
        later = register(
            keyset,
            "N" * 43,
            "arn:aws:kms:us-east-1:1:key/N",
            now,
            created=now,
            lifetime=60,
            limits=limits,
        )
        assert len(later.cutoffs) == left


def test_it_lives_as_long_as_the_longest_lived_key(times, limits):
    """A deployment with shorter tokens leaves keys whose tokens live longer."""
    older = replace(
        ACTIVE,
        kid="O" * 43,
        state=State.GRACE,
        lifetime=86_400,
        superseded=NOW,
        verify_until=NOW + 30 * HOUR,
    )
    cutoff = cut(times, limits, Keyset((ACTIVE, older)), Claim.CLIENT, "orders").cutoffs[0]
    assert cutoff.until == timing.cutoff_until(cutoff.before, 86_400)


def generation(number, at, keyset):
    """A generation of this keyset."""
    return Generation(number, "op", "ann", "reason", at, keyset)


def test_the_document_holds_them_exactly(times, limits):
    """Every kind is read back as it was written."""
    keyset = Keyset((ACTIVE,))
    for claim, value in NAMED:
        keyset = cut(times, limits, keyset, claim, value)
    keyset = cut(times, limits, keyset, Claim.CLIENT, "billing", block=True)
    stored = generation(1, NOW, keyset)
    assert document.loads(document.dumps(stored)) == stored


@pytest.mark.parametrize(
    "cutoffs",
    [
        "[]",
        '{"kid": {}}',
        '{"sub": []}',
        '{"sub": {"short": [1, 1]}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": []}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": [1]}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": [1, 0]}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": [1, 2, 3]}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": [true, 2]}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": [1e99, 2]}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": [99999999999999, 2]}}',
        '{"sub": {"DDDDDDDDDDDDDDDD": [1, 99999999999999]}}',
    ],
)
def test_odd_cut_offs_are_no_document(cutoffs):
    """A generation that holds one does not count."""
    text = document.dumps(generation(1, NOW, Keyset((ACTIVE,))))
    with pytest.raises(DocumentInvalid):
        document.loads(f'{text[:-1]},"cutoffs":{cutoffs}}}')


def test_what_may_not_follow_a_cut_off(times, limits):
    """Nothing weakens it or drops it before its time; nothing cuts off the future."""
    keyset = cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders", NOW)
    (cutoff,) = keyset.cutoffs
    before = generation(1, NOW, keyset)

    def follows(*cutoffs, at=NOW + HOUR):
        return find_violation(before, generation(2, at, Keyset((ACTIVE,), cutoffs=cutoffs)))

    assert follows(cutoff) is None
    assert "is dropped" in follows()
    assert "is dropped" in follows(at=cutoff.until)
    assert follows(at=cutoff.until + SECOND) is None
    assert "is earlier" in follows(replace(cutoff, before=cutoff.before - SECOND))
    assert "ends earlier" in follows(replace(cutoff, until=cutoff.until - SECOND))
    assert "in the future" in follows(replace(cutoff, before=NOW + 2 * HOUR, until=NOW + 9 * HOUR))
    assert "outlives" in follows(replace(cutoff, until=cutoff.before + timedelta(days=3)))


def test_what_may_not_follow_a_block(times, limits):
    """It becomes a cut-off of everything issued until its release, or stays."""
    keyset = cut(times, limits, Keyset((ACTIVE,)), Claim.CLIENT, "orders", NOW, block=True)
    before = generation(1, NOW, keyset)
    at = NOW + HOUR

    def follows(keyset):
        return find_violation(before, generation(2, at, keyset))

    released = release(
        keyset, [digest_of("orders")], before=timing.cutoff_before(at, times), times=times
    )
    earlier = CutOff(Claim.CLIENT, digest_of("orders"), NOW, NOW + HOUR)
    early = Keyset((ACTIVE,), cutoffs=(earlier,))
    assert follows(keyset) is None
    assert follows(released) is None
    assert "is dropped" in follows(Keyset((ACTIVE,)))
    assert "is earlier" in follows(early)
