"""The keyset in SSM: a change is appended, whatever others do and whatever answer gets lost."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import AwsFault, Throttled
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.keyset.store import KeysetBusy, KeysetStore
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentTooLarge, UnknownKid
from keyturn.keyset.model import EndedKey, Keyset
from keyturn.keyset.states import State

ARN = "arn:aws:kms:us-east-1:123456789012:key/"
OURS, THEIRS, MORE = "o" * 43, "t" * 43, "m" * 43
FIRST, SECOND = "/keyturn/demo/keyset/000000000001", "/keyturn/demo/keyset/000000000002"


def remember(kid):
    """A change that counts once: the keyset remembers an ended key."""

    def change(keyset, now):
        if keyset.find(kid):
            return keyset
        end = EndedKey(kid, ARN + kid, State.RETIRED, *[now.replace(microsecond=0)] * 2)
        return replace(keyset, ended=(*keyset.ended, end))

    return change


def kids(generation):
    """The kids of a generation, as one text in order."""
    return "".join(key.kid[0] for key in generation.keyset.ended)


@pytest.fixture
def store(stack, origin, aws) -> KeysetStore:
    """The store under test, with an empty keyset in it and nothing beside it; the wire is clear."""
    stack.keysets.create(1, origin)
    aws.reset()
    return stack.keysets


@pytest.fixture
def others(container) -> KeysetStore:
    """The store as somebody else uses it at the same time."""
    return container().keysets


def test_a_keyset_is_founded_once(stack, origin, cloud):
    """Founding writes the empty keyset under the given number; doing it again changes nothing."""
    founded = stack.keysets.create(7, origin)
    assert (founded.number, founded.keyset) == (7, Keyset())
    before = cloud.snapshot()
    assert stack.keysets.create(9, origin) == founded
    assert cloud.snapshot() == before


def test_two_founders_found_one_keyset(stack, others, origin, aws, cloud):
    """The slower founder takes the keyset of the faster one."""
    theirs = replace(origin, op_id="theirs")
    aws.meanwhile("ssm:PutParameter", lambda: others.create(1, theirs))
    assert stack.keysets.create(1, origin).op_id == "theirs"
    assert list(cloud.snapshot()["parameters"]) == [FIRST]


def test_a_name_that_is_free_is_not_passed_over(stack, origin, aws, cloud):
    """SSM calls it a conflict, too, when it is asked too often."""
    aws.fail("ssm:PutParameter", aws.error("TooManyUpdates"))
    assert stack.keysets.create(1, origin).number == 1
    assert list(cloud.snapshot()["parameters"]) == [FIRST]


def test_a_name_that_garbage_has_taken_is_passed_over(stack, origin, cloud):
    """The keyset is founded above it."""
    cloud.ssm.put(FIRST, "{")
    assert stack.keysets.create(1, origin).number == 2


@pytest.mark.parametrize("after", [True, False], ids=["had its effect", "had none"])
def test_a_lost_reply_of_founding_invents_nothing(stack, origin, aws, cloud, after):
    """If the write arrived its generation is returned; otherwise there is no keyset."""
    aws.fail("ssm:PutParameter", aws.timeout, after=after)
    if after:
        assert stack.keysets.create(1, origin).number == 1
    else:
        with pytest.raises(KeysetMissing):
            stack.keysets.create(1, origin)
    assert len(cloud.snapshot()["parameters"]) == after


def test_a_change_is_appended(store, origin, cloud, clock):
    """A change becomes generation g+1 with its origin; generation g stays as it was."""
    clock.advance(0.25)
    [before] = cloud.snapshot()["parameters"].values()
    written = store.update(remember(OURS), origin)
    assert (written.number, kids(written)) == (2, "o")
    assert (written.op_id, written.started_by, written.reason) == ("op-1", "tests", "trying")
    assert written.at == clock.now().replace(microsecond=0, second=1)
    after = cloud.snapshot()["parameters"]
    assert (list(after), after[FIRST]) == ([FIRST, SECOND], before)
    assert store.read() == written


def test_a_change_that_is_there_already_is_not_written(store, origin, cloud, aws):
    """A no-op returns the generation that holds the change and writes nothing."""
    written = store.update(remember(OURS), origin)
    before = cloud.snapshot()
    aws.reset()
    assert store.update(remember(OURS), origin) == written
    assert cloud.snapshot() == before
    assert aws.operations == ["ssm:GetParametersByPath"]


def test_a_taken_generation_is_read_and_the_change_re_evaluated(store, others, origin, aws, cloud):
    """`ParameterAlreadyExists`: the change is made on top of what the faster one wrote."""
    aws.meanwhile("ssm:PutParameter", lambda: others.update(remember(THEIRS), origin))
    written = store.update(remember(OURS), origin)
    assert (written.number, kids(written)) == (3, "to")
    assert len(cloud.snapshot()["parameters"]) == 3


def test_a_faster_one_can_make_the_change_needless(store, others, origin, aws):
    """Whoever finds its own change made by another returns that generation."""
    theirs = replace(origin, op_id="theirs")
    aws.meanwhile("ssm:PutParameter", lambda: others.update(remember(OURS), theirs))
    written = store.update(remember(OURS), origin)
    assert (written.number, written.op_id, kids(written)) == (2, "theirs", "o")


def test_a_refusal_on_re_evaluation_comes_out(store, others, origin, aws):
    """When the world moved so that the change is refused, its error is raised as it is."""

    def change(keyset, now):
        if keyset.find(THEIRS):
            raise UnknownKid(OURS)
        return remember(OURS)(keyset, now)

    aws.meanwhile("ssm:PutParameter", lambda: others.update(remember(THEIRS), origin))
    with pytest.raises(UnknownKid, match=OURS):
        store.update(change, origin)
    assert kids(store.read()) == "t"


def test_too_many_updates_is_tried_again(store, origin, aws):
    """SSM's `TooManyUpdates` is a lost race, not a fault."""
    aws.fail("ssm:PutParameter", aws.error("TooManyUpdates"), times=2)
    assert store.update(remember(OURS), origin).number == 2
    assert aws.attempts.count("ssm:PutParameter") == 3


@pytest.mark.parametrize("after", [True, False], ids=["had its effect", "had none"])
def test_our_own_lost_reply_counts_once(store, origin, aws, cloud, after):
    """A write whose answer never came is looked for, and made once in all."""
    aws.fail("ssm:PutParameter", aws.timeout, after=after)
    written = store.update(remember(OURS), origin)
    assert (written.number, kids(written)) == (2, "o")
    assert len(cloud.snapshot()["parameters"]) == 2


def test_botocore_never_repeats_a_write(store, origin, aws):
    """A lost reply comes back to the store: a silent second attempt would meet the first."""
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    store.update(remember(OURS), origin)
    assert aws.attempts.count("ssm:PutParameter") == 1


def test_a_lost_read_back_counts_once(store, origin, aws, cloud):
    """A write that cannot be read back at once is found on the next look."""
    aws.fail("ssm:GetParameters", aws.timeout, times=3)
    assert store.update(remember(OURS), origin).number == 2
    assert len(cloud.snapshot()["parameters"]) == 2


def test_a_throttled_write_is_raised(store, origin, aws, cloud):
    """Throttling is the caller's to wait for; nothing was written."""
    before = cloud.snapshot()
    aws.fail("ssm:PutParameter", aws.error("ThrottlingException"))
    with pytest.raises(Throttled, match="ssm:PutParameter"):
        store.update(remember(OURS), origin)
    assert cloud.snapshot() == before


def test_endless_races_end_with_an_error(store, origin, aws, clock):
    """After sixty lost races the store gives up, having waited at most a second each."""
    aws.fail("ssm:PutParameter", aws.error("ParameterAlreadyExists"), times=1000)
    clock.fixed_fraction = 1.0
    with pytest.raises(KeysetBusy, match="trying"):
        store.update(remember(OURS), origin)
    assert aws.attempts.count("ssm:PutParameter") == 60
    assert (min(clock.slept), max(clock.slept)) == (0.05, 1.0)


def test_every_attempt_reads_the_clock(store, origin, aws, clock):
    """A change is decided at the instant of its own attempt, not of the first one."""
    seen = []

    def change(keyset, now):
        seen.append(now)
        return remember(OURS)(keyset, now)

    aws.fail("ssm:PutParameter", aws.error("TooManyUpdates"), times=2)
    store.update(change, origin)
    assert len(set(seen)) == 3


def test_a_write_after_a_pruned_generation_does_not_count(store, others, origin, aws, cloud, clock):
    """On a stale read our g+1 can find its name free again; it is made anew on top."""

    def go_on():
        for kid in "abcdefg":
            others.update(remember(kid * 43), origin)
        others.remove(f"{n:012d}" for n in [1, 2])
        clock.advance(0.001)

    aws.meanwhile("ssm:PutParameter", go_on)
    written = store.update(remember(OURS), origin)
    assert (written.number, kids(written)) == (9, "abcdefgo")
    assert store.read() == written
    assert "000000000001" not in str(list(cloud.snapshot()["parameters"]))


def test_a_write_on_a_lost_line_does_not_count(store, others, origin, aws):
    """Its parent stands, but one below that was deleted, and others went on there: made anew on top."""
    for kid in (MORE, "n" * 43):
        store.update(remember(kid), origin)

    def go_on():
        others.remove([SECOND.rpartition("/")[2]])
        others.update(remember(THEIRS), origin)

    aws.meanwhile("ssm:PutParameter", go_on)
    written = store.update(remember(OURS), origin)
    assert kids(written) == "to"
    assert store.read() == written


def test_a_write_that_reads_back_as_another_does_not_count(store, origin, aws, cloud):
    """Should somebody overwrite our generation all the same, it is made anew above, and theirs ignored."""
    first = store.read()
    theirs = document.dumps(
        replace(
            first,
            number=2,
            keyset=remember(THEIRS)(Keyset(), first.at),
            parent=document.digest(first.text),
        )
    )
    aws.meanwhile(
        "ssm:GetParameters",
        lambda: cloud.ssm.put(SECOND, theirs, overwrite=True),
    )
    written = store.update(remember(OURS), origin)
    assert (written.number, kids(written)) == (3, "o")


@pytest.mark.parametrize("hidden", [4, 5])
def test_a_late_read_back_is_waited_for(store, origin, aws, cloud, hidden):
    """SSM promises no consistent reads: five looks, then an error that says what happened."""

    texts = []

    def hide():
        texts.append(cloud.ssm.value(SECOND))
        cloud.ssm.delete([SECOND])

    def show():
        cloud.ssm.put(SECOND, texts[-1])

    aws.meanwhile("ssm:PutParameter", hide, after=True)
    aws.meanwhile("ssm:GetParameters", show, nth=hidden + 1)
    if hidden < 5:
        assert store.update(remember(OURS), origin).number == 2
    else:
        with pytest.raises(AwsFault, match="WrittenGenerationNotReadBack"):
            store.update(remember(OURS), origin)


def test_a_document_that_does_not_fit_is_refused(store, origin, cloud):
    """A keyset too large for a Standard parameter is refused in words, and nothing is written."""
    before = cloud.snapshot()
    with pytest.raises(DocumentTooLarge, match="4096"):
        store.update(
            lambda keyset, now: Keyset(
                ended=tuple(
                    EndedKey(f"{number:043d}", f"{ARN}{number:036d}", State.REVOKED, now, now)
                    for number in range(40)
                )
            ),
            origin,
        )
    assert cloud.snapshot() == before


def test_a_missing_keyset_is_not_invented(stack, origin, cloud):
    """Without any generation nothing can be concluded: both reading and changing say so."""
    before = cloud.snapshot()
    for act in (stack.keysets.read, lambda: stack.keysets.update(remember(OURS), origin)):
        with pytest.raises(KeysetMissing, match="/keyturn/demo/keyset"):
            act()
    assert cloud.snapshot() == before
