"""Generations are deleted beside writers, recording and two repairs: explored to the end.

Writers read, create and read back as KeysetStore does. RecordChanges keeps one generation after the other in
the history. A repair reads, and then creates what it came to, one parameter after the other, however late;
whoever finds a name taken gives up. Each read may be one change late. At any moment somebody deletes any of
the parameters, all of them included.

A reader is whoever holds a generation that counted for somebody once, asleep or not: all of them are looked
at in every state. Of each state it is asked, too, what one reconcile that runs undisturbed makes of it: until
then the bound of a deletion counts.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from keyturn.keyset import document
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State as KeyState
from tests.model import deletion_answers as answers
from tests.model.deletion_answers import Writer
from tests.model.deletion_stack import (
    START,
    History,
    Put,
    Store,
    created,
    generation,
    is_generation,
    ranked,
    text_number,
)

_ROOT = 2
_REPAIRS = ("restore", "join")


class Size(NamedTuple):
    """What a scenario explores."""

    wishes: tuple[str, ...]
    deletions: int
    attempts: int = 2  # of each writer
    has_late_reads: bool = True
    loses_replies: bool = True


class State(NamedTuple):
    """The whole state; `before` is the store one change ago."""

    store: Store
    before: Store
    history: History
    writers: tuple[Writer, ...]
    repairs: tuple[tuple[Put, ...], ...]  # what each has still to create
    held: frozenset[int]  # texts that some reader may hold
    gone: frozenset[int]  # texts that were deleted or overtaken before they were recorded
    deletions: int
    size: Size


def start(size: Size) -> State:
    """A founded keyset that is recorded, and what each writer wants."""
    keys = tuple(
        Key(kid * 43, f"arn:aws:kms:us-east-1:1:key/{kid}", state, 60, START, **instants)
        for kid, state, instants in (
            ("A", KeyState.ACTIVE, {"published": START, "activated": START}),
            ("B", KeyState.STANDBY, {"published": START}),
        )
    )
    root = text_number(document.dumps(Generation(_ROOT, "", "", "", START, Keyset(keys))))
    store = ((_ROOT, root, 0),)
    writers, repairs = tuple(map(Writer, size.wishes)), ((),) * len(_REPAIRS)
    held, gone = frozenset({root}), frozenset[int]()
    return State(store, store, (root,), writers, repairs, held, gone, size.deletions, size)


def moves(s: State) -> Iterator[tuple[str, State, str]]:
    """Each possible next move, in words, and the violation in it, if any."""
    for index in range(len(s.writers)):
        for label, after in _of_writer(s, index):
            yield label, after, _promised(s, after.writers[index])
    for label, after in _of_others(s):
        yield label, after, ""


def _promised(s: State, writer: Writer) -> str:
    """S9: what is acknowledged counts, or did so one change ago."""
    if writer.step != "done" or any(writer.text in answers.chain(store) for store in _views(s)):
        return ""
    return f"S9: {writer.wish} is acknowledged, and {name(writer.text)} does not count"


def _of_others(s: State) -> Iterator[tuple[str, State]]:
    for index in range(len(_REPAIRS)):
        yield from _of_repair(s, index)
    for store in _views(s):
        if (text := answers.recordable(store, s.history)) is not None:
            yield f"{name(text)} is recorded", s._replace(history=(*s.history, text))
    if s.deletions:
        names = [number for number, *_ in s.store]
        for count in range(1, len(names) + 1):
            for numbers in combinations(names, count):
                yield f"somebody deletes {', '.join(map(str, numbers))}", _deleted(s, numbers)


def _views(s: State) -> tuple[Store, ...]:
    """The stores that a read may show."""
    return tuple(dict.fromkeys((s.store, s.before)))


def _deleted(s: State, numbers: tuple[int, ...]) -> State:
    lost = {text for number, text, _ in s.store if number in numbers and is_generation(text)}
    store = ranked(one for one in s.store if one[0] not in numbers)
    after = _stored(s, store)
    return after._replace(gone=after.gone | (lost - {*s.history}), deletions=s.deletions - 1)


def _of_writer(s: State, index: int) -> Iterator[tuple[str, State]]:
    writer = s.writers[index]
    match writer.step:
        case "read" if writer.tries < s.size.attempts:
            for store in _views(s):
                if after := answers.planned(store, writer):
                    verb = "finds" if after.step == "done" else "is to write"
                    yield f"{writer.wish}: {verb} {name(after.text)}", _with(s, index, after)
        case "create":
            again = Writer(writer.wish, tries=writer.tries + 1)
            put = Put(generation(writer.text).number, writer.text)
            longer = created(s.store, put)
            if longer is None:
                yield f"{writer.wish}: {put.number} is taken", _with(s, index, again)
                return
            stored = _stored(s, longer)
            yield (
                f"{writer.wish}: creates {name(writer.text)}",
                _with(stored, index, writer._replace(step="read back")),
            )
            if s.size.loses_replies:
                label = f"{writer.wish}: creates {name(writer.text)}, the reply is lost"
                yield label, _with(stored, index, again)
        case "read back":
            for store in _views(s):
                is_read_back = answers.is_read_back(store, writer.parent, writer.text)
                step = "done" if is_read_back else "read"
                after = Writer(writer.wish, step, writer.text, tries=writer.tries + 1)
                if not is_read_back:
                    after = after._replace(text=-1)
                yield f"{writer.wish}: reads back, {is_read_back}", _with(s, index, after)


def _of_repair(s: State, index: int) -> Iterator[tuple[str, State]]:
    puts, name = s.repairs[index], _REPAIRS[index]
    if not puts:
        for store in _views(s):
            if planned := answers.REPAIRED[name](store, s.history):
                texts = ", ".join(str(put.number) for put in planned)
                yield f"{name}: is to create {texts}", _repairs(s, index, planned)
        return
    yield f"{name}: is killed", _repairs(s, index, ())
    longer = created(s.store, puts[0])
    if longer is None:
        yield f"{name}: {puts[0].number} is taken", _repairs(s, index, ())
    else:
        yield f"{name}: creates {puts[0].number}", _repairs(_stored(s, longer), index, puts[1:])


def _stored(s: State, store: Store) -> State:
    """The store has changed, and every reader may read it."""
    read = {answers.newer(store, text) for text in s.held} | {*answers.chain(store)[-1:]}
    held = s.held | {text for text in read if text is not None}
    before = s.store if s.size.has_late_reads else store
    gone = s.gone | answers.overtaken(store, s.history)
    return s._replace(store=store, before=before, held=held, gone=gone)


def _with(s: State, index: int, writer: Writer) -> State:
    return s._replace(writers=(*s.writers[:index], writer, *s.writers[index + 1 :]))


def _repairs(s: State, index: int, puts: tuple[Put, ...]) -> State:
    return s._replace(repairs=(*s.repairs[:index], puts, *s.repairs[index + 1 :]))


def name(text: int) -> str:
    """Its number, and who wrote it."""
    one = generation(text)
    return f"{one.number} ({one.op_id or 'root'})"
