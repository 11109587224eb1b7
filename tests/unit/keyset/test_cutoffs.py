"""Cut-offs: which tokens they refuse, how they add up, when they end, and what may follow them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset import document, timing
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.errors import DocumentInvalid, InvariantBroken
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.succession import find_violation
from keyturn.keyset.token_revocation import NotBlocked, OrderOvertaken, cut_off, release
from tests.periods import DEFAULTS
from tests.unit.keyset.steps import LIMITS, register

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ACTIVE = Key("A" * 43, "arn:aws:kms:us-east-1:1:key/A", State.ACTIVE, 3600, NOW - HOUR, NOW, NOW)
CLAIMS = {"client_id": "orders", "sub": "ann", "jti": "6f9d3f2e"}
NAMED = ((Claim.CLIENT, "orders"), (Claim.SUBJECT, "ann"), (Claim.TOKEN, "6f9d3f2e"))
ORDERS = digest_of("orders")
ONE_KEY = Keyset((ACTIVE,))


def before(now):
    """What a cut-off ordered at an instant refuses: tokens issued before this one."""
    return timing.cutoff_before(now, DEFAULTS)


def cut(keyset, claim=Claim.CLIENT, value="orders", now=NOW, *, block=False):
    """Cut off one value of a claim."""
    requested = [(claim, digest_of(value))]
    return cut_off(
        keyset, requested, now, before=before(now), times=DEFAULTS, limits=LIMITS, block=block
    )


def release_orders(keyset, before):
    """Release the client `orders`."""
    return release(keyset, [ORDERS], before=before, times=DEFAULTS)


def token(issued, **claims):
    """The claims of a token issued then."""
    return {**CLAIMS, "iat": int(issued.timestamp()), **claims}


@pytest.mark.parametrize(("claim", "value"), NAMED)
def test_it_refuses_tokens_issued_before_its_instant(claim, value):
    """The last second before is refused; the instant itself, later than any clock's now, is not."""
    keyset = cut(ONE_KEY, claim, value)
    (cutoff,) = keyset.cutoffs
    assert cutoff.before > NOW + timedelta(seconds=DEFAULTS.clock_skew)
    assert keyset.refusing_cutoff(token(cutoff.before - SECOND)) is cutoff
    assert keyset.refusing_cutoff(token(cutoff.before)) is None


@pytest.mark.parametrize(("claim", "value"), NAMED)
@pytest.mark.parametrize(
    "other", ["", "order", "orders2", "ORDERS", "an", "annn", "6f9d3f2", "6f9d3f2e0"]
)
def test_it_refuses_no_other_value(claim, value, other):
    """Values are compared whole, with case, and only in their own claim."""
    keyset = cut(ONE_KEY, claim, value)
    others = {name: value for name in CLAIMS if name != claim}
    assert keyset.refusing_cutoff(token(NOW, **{claim: other})) is None
    assert keyset.refusing_cutoff(token(NOW, **{**others, claim: other})) is None


@pytest.mark.parametrize("first", [NOW, NOW + HOUR])
@pytest.mark.parametrize("second", [NOW, NOW + HOUR])
def test_a_second_cut_off_never_weakens_the_first(first, second):
    """Of two cut-offs of one value the stricter counts, in whichever order they come."""
    strictest = cut(ONE_KEY, now=max(first, second))
    assert cut(cut(ONE_KEY, now=first), now=second).cutoffs == strictest.cutoffs


def test_two_cut_offs_of_one_token():
    """Either refuses it, whatever the other says."""
    keyset = cut(cut(ONE_KEY, Claim.SUBJECT, "ann", NOW + HOUR), now=NOW)
    assert keyset.refusing_cutoff(token(NOW + HOUR, client_id="billing"))
    assert keyset.refusing_cutoff(token(NOW, sub="bob"))
    assert keyset.refusing_cutoff(token(NOW + HOUR))


def test_a_blocked_client_is_refused_until_it_is_released():
    """A later cut-off keeps the block; a release still refuses the tokens issued until then."""
    blocked = cut(ONE_KEY, block=True)
    assert cut(blocked).cutoffs[0].is_block
    assert blocked.refusing_cutoff(token(NOW + 1000 * HOUR))
    with pytest.raises(NotBlocked):
        release(blocked, [digest_of("billing")], before=before(NOW + HOUR), times=DEFAULTS)
    released = release_orders(blocked, before(NOW + HOUR))
    assert released.refusing_cutoff(token(NOW + HOUR))
    assert released.refusing_cutoff(token(before(NOW + HOUR))) is None


@pytest.mark.parametrize("keyset", [ONE_KEY, cut(ONE_KEY)], ids=["no cut-off", "no block"])
def test_a_release_without_a_block_is_refused(keyset):
    """The block may still be on its way."""
    with pytest.raises(NotBlocked, match="then release the client"):
        release_orders(keyset, before(NOW + HOUR))


@pytest.mark.parametrize("earlier", [timedelta(0), SECOND], ids=["repeated", "earlier"])
def test_a_second_release_changes_nothing(earlier):
    """Neither the same order again nor an earlier one."""
    released = release_orders(cut(ONE_KEY, block=True), before(NOW + HOUR))
    assert release_orders(released, before(NOW + HOUR) - earlier) == released


def test_a_block_that_comes_late_is_refused():
    """After a quarter of an hour a release in between may be forgotten, whatever the lifetimes."""
    longer = replace(DEFAULTS, token_lifetime=86_400)
    in_time = before(NOW) + timedelta(minutes=15)

    def block(keyset, now):
        requested = [(Claim.CLIENT, ORDERS)]
        return cut_off(
            keyset, requested, now, before=before(NOW), times=longer, limits=LIMITS, block=True
        )

    blocked = block(ONE_KEY, in_time)
    assert blocked.cutoffs[0].is_block
    with pytest.raises(OrderOvertaken):
        block(ONE_KEY, in_time + SECOND)
    assert block(blocked, in_time + SECOND) == blocked
    released = timing.cutoff_until(before(NOW) + SECOND, lifetime=1)
    assert in_time + timedelta(seconds=timing.BOUNDS["clock_skew"][1]) < released


def test_only_a_client_is_blocked():
    """The cut-off of a subject or a token always has an end."""
    with pytest.raises(InvariantBroken, match="only a client"):
        CutOff(Claim.SUBJECT, digest_of("ann"), NOW)


def test_it_ends_with_the_last_token_that_it_refuses():
    """No earlier, even if the next deployment has the largest leeway; with the first write after."""
    keyset = cut(ONE_KEY)
    (cutoff,) = keyset.cutoffs
    last_expiry = cutoff.before - SECOND + timedelta(seconds=ACTIVE.lifetime)
    assert cutoff.until
    assert cutoff.until >= last_expiry + timedelta(seconds=300 + 60) + timing.MAX_CLOCK_DIFFERENCE
    assert register(keyset, "N" * 43, cutoff.until).cutoffs == (cutoff,)
    assert register(keyset, "N" * 43, cutoff.until + SECOND).cutoffs == ()


def test_it_lives_as_long_as_the_longest_lived_key():
    """After a deployment with shorter tokens, the tokens of older keys still live longer."""
    older = replace(
        ACTIVE, kid="O" * 43, state=State.GRACE, lifetime=86_400, verify_until=NOW + 30 * HOUR
    )
    (cutoff,) = cut(Keyset((ACTIVE, older))).cutoffs
    assert cutoff.until == timing.cutoff_until(cutoff.before, 86_400)


def generation(number, at, keyset):
    """A generation of this keyset."""
    return Generation(number, "op", "ann", "reason", at, keyset)


def test_the_document_stores_them_exactly():
    """A cut-off of each claim, and a block, are read back as written."""
    keyset = cut(ONE_KEY, value="billing", block=True)
    for claim, value in NAMED:
        keyset = cut(keyset, claim, value)
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
def test_a_malformed_cut_off_makes_the_document_invalid(cutoffs):
    """Every claim, digest and number is checked."""
    text = document.dumps(generation(1, NOW, ONE_KEY))
    with pytest.raises(DocumentInvalid):
        document.loads(f'{text[:-1]},"cutoffs":{cutoffs}}}')


def test_what_may_not_follow_a_cut_off():
    """A generation must not weaken it, drop it before its end, or refuse tokens of the future."""
    keyset = cut(ONE_KEY)
    (cutoff,) = keyset.cutoffs

    def follows(*cutoffs, at=NOW + HOUR):
        after = generation(2, at, replace(ONE_KEY, cutoffs=cutoffs))
        return find_violation(generation(1, NOW, keyset), after)

    assert follows(cutoff) is None
    assert "is dropped" in follows()
    assert "is dropped" in follows(at=cutoff.until)
    assert follows(at=cutoff.until + SECOND) is None
    assert "is earlier" in follows(replace(cutoff, before=cutoff.before - SECOND))
    assert "ends earlier" in follows(replace(cutoff, until=cutoff.until - SECOND))
    assert "in the future" in follows(replace(cutoff, before=NOW + 2 * HOUR, until=NOW + 9 * HOUR))
    assert "outlives" in follows(replace(cutoff, until=cutoff.before + timedelta(days=3)))


def test_what_may_not_follow_a_block():
    """It stays, or becomes a cut-off of everything issued until its release."""
    blocked = cut(ONE_KEY, block=True)

    def follows(keyset):
        return find_violation(generation(1, NOW, blocked), generation(2, NOW + HOUR, keyset))

    earlier = CutOff(Claim.CLIENT, ORDERS, NOW, NOW + HOUR)
    assert follows(blocked) is None
    assert follows(release_orders(blocked, before(NOW + HOUR))) is None
    assert "is dropped" in follows(ONE_KEY)
    assert "is earlier" in follows(replace(ONE_KEY, cutoffs=(earlier,)))
