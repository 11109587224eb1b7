"""The keyset in SSM: a change is appended, despite other writers and lost replies."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import AwsFault, Throttled
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.keyset.store import KeysetBusy, KeysetStore
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentTooLarge
from keyturn.keyset.model import EndedKey, Keyset
from keyturn.keyset.states import State

ARN = "arn:aws:kms:us-east-1:123456789012:key/"
OURS, THEIRS = "o" * 43, "t" * 43
FIRST, SECOND = "/keyturn/demo/keyset/000000000001", "/keyturn/demo/keyset/000000000002"


def remember(kid):
    """A change that counts once: the keyset remembers an ended key."""

    def change(keyset, now):
        if keyset.find(kid):
            return keyset
        end = EndedKey(kid, ARN + kid, State.RETIRED, *[now.replace(microsecond=0)] * 2)
        return replace(keyset, ended=(*keyset.ended, end))

    return change


def initials(generation):
    """The first letters of a generation's kids, in order."""
    return "".join(key.kid[0] for key in generation.keyset.ended)


@pytest.fixture
def store(stack, origin, aws) -> KeysetStore:
    """The store under test, with an empty keyset; the wire is clear."""
    stack.keysets.create(1, origin)
    aws.reset()
    return stack.keysets


@pytest.fixture
def others(container) -> KeysetStore:
    """The store as another writer uses it."""
    return container().keysets


def test_a_keyset_is_created_once(stack, origin, cloud):
    """It is empty and has the given number; a second creation changes nothing."""
    generation = stack.keysets.create(7, origin)
    assert (generation.number, generation.keyset) == (7, Keyset())
    before = cloud.snapshot()
    assert stack.keysets.create(9, origin) == generation
    assert cloud.snapshot() == before


def test_two_creators_create_one_keyset(stack, others, origin, aws, cloud):
    """The slower one takes the keyset of the faster one."""
    theirs = replace(origin, op_id="theirs")
    aws.meanwhile("ssm:PutParameter", lambda: others.create(1, theirs))
    assert stack.keysets.create(1, origin).op_id == "theirs"
    assert list(cloud.snapshot()["parameters"]) == [FIRST]


def test_a_conflict_does_not_mean_that_the_name_is_taken(stack, origin, aws, cloud):
    """SSM also reports one if it gets too many updates."""
    aws.fail("ssm:PutParameter", aws.error("TooManyUpdates"))
    assert stack.keysets.create(1, origin).number == 1
    assert list(cloud.snapshot()["parameters"]) == [FIRST]


def test_a_name_that_garbage_has_taken_is_skipped(stack, origin, cloud):
    """The keyset is created above it."""
    cloud.ssm.put(FIRST, "{")
    assert stack.keysets.create(1, origin).number == 2


def test_a_creation_whose_reply_is_lost_is_found(stack, origin, aws, cloud):
    """Its generation is returned."""
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    assert stack.keysets.create(1, origin).number == 1
    assert len(cloud.snapshot()["parameters"]) == 1


def test_a_creation_that_was_lost_is_no_keyset(stack, origin, aws, cloud):
    """A write without a reply is not repeated."""
    aws.fail("ssm:PutParameter", aws.timeout)
    with pytest.raises(KeysetMissing):
        stack.keysets.create(1, origin)
    assert cloud.snapshot()["parameters"] == {}


def test_a_change_is_appended(store, origin, cloud, clock):
    """It becomes generation g+1 with its origin; generation g stays as it was."""
    clock.advance(0.25)
    [before] = cloud.snapshot()["parameters"].values()
    successor = store.update(remember(OURS), origin)
    assert (successor.number, initials(successor)) == (2, "o")
    assert (successor.op_id, successor.started_by, successor.reason) == ("op-1", "tests", "trying")
    assert successor.at == clock.now().replace(microsecond=0, second=1)
    after = cloud.snapshot()["parameters"]
    assert (list(after), after[FIRST]) == ([FIRST, SECOND], before)
    assert store.read() == successor


def test_a_change_that_was_made_before_is_not_written(store, origin, aws):
    """The generation that has it is returned."""
    successor = store.update(remember(OURS), origin)
    aws.reset()
    assert store.update(remember(OURS), origin) == successor
    assert aws.operations == ["ssm:GetParametersByPath"]


def test_after_a_lost_race_the_change_is_made_on_top(store, others, origin, aws, cloud):
    """`ParameterAlreadyExists`: it is evaluated again on what the faster writer wrote."""
    aws.meanwhile("ssm:PutParameter", lambda: others.update(remember(THEIRS), origin))
    successor = store.update(remember(OURS), origin)
    assert (successor.number, initials(successor)) == (3, "to")
    assert len(cloud.snapshot()["parameters"]) == 3


@pytest.mark.parametrize(
    ("fault", "after", "attempts"),
    [("TooManyUpdates", False, 2), ("timeout", True, 1), ("timeout", False, 2)],
)
def test_a_write_without_a_usable_reply_takes_effect_once(
    store, origin, aws, cloud, fault, after, attempts
):
    """botocore does not repeat it by itself; the store looks whether it took effect."""
    aws.fail(
        "ssm:PutParameter", aws.timeout if fault == "timeout" else aws.error(fault), after=after
    )
    successor = store.update(remember(OURS), origin)
    assert (successor.number, initials(successor)) == (2, "o")
    assert len(cloud.snapshot()["parameters"]) == 2
    assert aws.attempts.count("ssm:PutParameter") == attempts


def test_a_write_that_cannot_be_read_back_at_once_takes_effect_once(store, origin, aws, cloud):
    """The next listing finds it."""
    aws.fail("ssm:GetParameters", aws.timeout, times=3)
    assert store.update(remember(OURS), origin).number == 2
    assert len(cloud.snapshot()["parameters"]) == 2


def test_a_throttled_write_is_a_fault(store, origin, aws, cloud):
    """The caller decides how long to wait; nothing was written."""
    before = cloud.snapshot()
    aws.fail("ssm:PutParameter", aws.error("ThrottlingException"))
    with pytest.raises(Throttled, match="ssm:PutParameter"):
        store.update(remember(OURS), origin)
    assert cloud.snapshot() == before


def test_endless_races_end_with_an_error(store, origin, aws, clock):
    """The store gives up after sixty lost races; it waits at most a second after each."""
    aws.fail("ssm:PutParameter", aws.error("ParameterAlreadyExists"), times=1000)
    clock.fixed_fraction = 1.0
    instants = []

    def change(keyset, now):
        instants.append(now)
        return remember(OURS)(keyset, now)

    with pytest.raises(KeysetBusy, match="trying"):
        store.update(change, origin)
    assert aws.attempts.count("ssm:PutParameter") == 60
    assert len(set(instants)) == 60  # each attempt is decided at its own time
    assert (min(clock.slept), max(clock.slept)) == (0.05, 1.0)


def test_a_write_below_the_pruned_generations_does_not_count(
    store, others, origin, aws, cloud, clock
):
    """After a stale read g+1 may be free again; the change is made again on top."""

    def overtake():
        for kid in "abcdefg":
            others.update(remember(kid * 43), origin)
        others.remove(f"{n:012d}" for n in [1, 2])
        clock.advance(0.001)

    aws.meanwhile("ssm:PutParameter", overtake)
    successor = store.update(remember(OURS), origin)
    assert (successor.number, initials(successor)) == (9, "abcdefgo")
    assert store.read() == successor
    assert FIRST not in cloud.snapshot()["parameters"]


def test_a_write_that_reads_back_as_another_text_does_not_count(store, origin, aws, cloud):
    """If our generation is overwritten, the change is made again above it."""
    first = store.read()
    theirs = replace(
        first,
        number=2,
        keyset=remember(THEIRS)(Keyset(), first.at),
        parent=document.digest(first.text),
    )
    text = document.dumps(theirs)
    aws.meanwhile("ssm:GetParameters", lambda: cloud.ssm.put(SECOND, text, overwrite=True))
    successor = store.update(remember(OURS), origin)
    assert (successor.number, initials(successor)) == (3, "o")


@pytest.mark.parametrize("late", [False, True])
def test_a_write_is_read_back_up_to_five_times(store, origin, aws, cloud, late):
    """SSM promises no consistent reads; if the fifth does not show the write, that is a fault."""
    texts = []

    def hide():
        texts.append(cloud.ssm.value(SECOND))
        cloud.ssm.delete([SECOND])

    aws.meanwhile("ssm:PutParameter", hide, after=True)
    nth = 6 if late else 5
    aws.meanwhile("ssm:GetParameters", lambda: cloud.ssm.put(SECOND, texts[-1]), nth=nth)
    if late:
        with pytest.raises(AwsFault, match="WrittenGenerationNotReadBack"):
            store.update(remember(OURS), origin)
    else:
        assert store.update(remember(OURS), origin).number == 2


def test_a_document_that_does_not_fit_is_refused(store, origin, cloud):
    """A Standard parameter has 4,096 bytes; nothing is written."""
    before = cloud.snapshot()

    def remember_forty(_keyset, now):
        kids = [f"{number:043d}" for number in range(40)]
        return Keyset(ended=tuple(EndedKey(k, ARN + k, State.REVOKED, now, now) for k in kids))

    with pytest.raises(DocumentTooLarge, match="4096"):
        store.update(remember_forty, origin)
    assert cloud.snapshot() == before


def test_a_missing_keyset_is_not_created_by_a_change(stack, origin, cloud):
    """Reading and changing it raise the same error."""
    for act in (stack.keysets.read, lambda: stack.keysets.update(remember(OURS), origin)):
        with pytest.raises(KeysetMissing, match="/keyturn/demo/keyset"):
            act()
    assert cloud.snapshot()["parameters"] == {}
