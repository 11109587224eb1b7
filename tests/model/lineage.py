"""Which parameters count, beside two writers, pruning and an adversary: explored to the end.

The product's own `trace` and `Lineage.extended` decide here, on documents of the product's own making. A
writer reads (what stands now, or what stood one change ago), creates what follows under the first free name,
reads back (again perhaps one change late), and takes its change for made or tries again. The adversary
creates, at any moment and under any name in reach, garbage, a keyset of its own without a parent, or one that
names what counts as its parent and brings back what has ended, or changes nothing. Pruning deletes from the
root on.

Held: a change that was acknowledged is in what counts for a new container, from then on (S5, S9); every
reader that holds what counted once comes to the same generation (S9); the next name that a writer would take
is free, whatever stands in its way (L2).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from keyturn.keyset import document, lineage
from keyturn.keyset.lineage import Lineage, StoredParameter, can_be_root
from keyturn.keyset.model import EndedKey, Generation, Keyset
from keyturn.keyset.states import State as KeyState

_START = datetime(2026, 3, 1, tzinfo=UTC)
_ROOT, _HIGHEST = 2, 7
_ARN = "arn:aws:kms:us-east-1:1:key/"
Parameter = tuple[int, str, int]  # its number, text and date: so many changes after the beginning
Store = tuple[Parameter, ...]


class Writer(NamedTuple):
    """A writer's next action; `seen` is the generation that it has read, and later the one that it wrote."""

    step: str = "read"
    parent: str = ""
    text: str = ""
    number: int = 0


class State(NamedTuple):
    """Everything; `before` is the store one change ago."""

    store: Store
    before: Store
    writers: tuple[Writer, ...]
    plants: int
    prunings: int
    acknowledged: frozenset[str]
    clock: int = 0


class Rules(NamedTuple):
    """What a mutant replaces."""

    trace: Callable[[Store], Lineage | None]
    prune: Callable[[Store, Lineage], Store]
    reads_back: bool = True


def start(plants: int, prunings: int) -> State:
    """A founded keyset, two writers that want one change each."""
    root = document.dumps(Generation(_ROOT, "", "", "", _START, Keyset()))
    store = ((_ROOT, root, 0),)
    return State(store, store, (Writer(), Writer()), plants, prunings, frozenset())


def moves(rules: Rules, s: State) -> Iterator[tuple[str, State]]:
    """Each possible next move, in words."""
    for index in range(len(s.writers)):
        yield from _of_writer(rules, s, index)
    head = rules.trace(s.store)
    if head is None:
        return
    if s.plants:
        for number in _free_names(s.store):
            for what, text in _forgeries(head.head.text, number).items():
                planted = _created(s, number, text)._replace(plants=s.plants - 1)
                yield f"adversary: {what} as {number}", planted
    if s.prunings and len(head.chain) > 1:
        store = rules.prune(s.store, head)
        if store != s.store:
            pruned = s._replace(store=store, before=s.store, prunings=s.prunings - 1)
            yield "prune", pruned


def _of_writer(rules: Rules, s: State, index: int) -> Iterator[tuple[str, State]]:
    match s.writers[index].step:
        case "read":
            yield from _read(rules, s, index)
        case "create":
            yield from _create(s, index)
        case "read back":
            yield from _read_back(rules, s, index)


def _read(rules: Rules, s: State, index: int) -> Iterator[tuple[str, State]]:
    kid = "AB"[index]
    for late, store in enumerate(dict.fromkeys((s.store, s.before))):
        chosen = rules.trace(store)
        if chosen is None:
            continue
        if chosen.head.keyset.find(kid * 43):
            yield f"{kid} finds its change", _acknowledged(s, index)
        else:
            text = _following(chosen.head.text, chosen.next_number, kid)
            about = Writer("create", chosen.head.text, text, chosen.next_number)
            yield f"{kid} reads{' late' * late}", _with(s, index, about)


def _create(s: State, index: int) -> Iterator[tuple[str, State]]:
    writer, kid = s.writers[index], "AB"[index]
    if any(number == writer.number for number, *_ in s.store):
        yield f"{kid}: {writer.number} is taken", _with(s, index, Writer())
    elif writer.number <= _HIGHEST:
        after = _created(s, writer.number, writer.text)
        yield (
            f"{kid} creates {writer.number}",
            _with(after, index, writer._replace(step="read back")),
        )


def _read_back(rules: Rules, s: State, index: int) -> Iterator[tuple[str, State]]:
    writer, kid = s.writers[index], "AB"[index]
    for late, store in enumerate(dict.fromkeys((s.store, s.before))):
        verdict = _reads_back(store, writer) if rules.reads_back else True
        if verdict is not None:
            after = _acknowledged(s, index) if verdict else _with(s, index, Writer())
            yield f"{kid} reads back{' late' * late}: {verdict}", after


def _reads_back(store: Store, writer: Writer) -> bool | None:
    """As KeysetStore does: None where its own is not seen yet."""
    parameters = _parameters(store)
    parent = document.loads(writer.parent)
    own = parameters.get(parent.number)
    if own is None or own.text != writer.parent:
        return False
    chosen = Lineage.from_generation(parent).extend(parameters)
    if chosen.next_number <= writer.number:
        return None
    return writer.text in [generation.text for generation in chosen.chain]


def wrong(rules: Rules, s: State) -> str:
    """The first violation in this state."""
    chosen = rules.trace(s.store)
    if chosen is None:
        return "L2: nothing counts"
    for kid in s.acknowledged:
        if chosen.head.keyset.find(kid * 43) is None:
            return f"S5: the change of {kid} was acknowledged, and a new container does not see it"
    parameters = _parameters(s.store)
    for generation in chosen.chain:
        if Lineage.from_generation(generation).extend(parameters).head.text != chosen.head.text:
            return f"S9: a reader that holds {generation.number} sees another head"
    if chosen.next_number in parameters:
        return "L2: no writer can create the next generation"
    return ""


def _acknowledged(s: State, index: int) -> State:
    done = _with(s, index, Writer("done"))
    return done._replace(acknowledged=s.acknowledged | {"AB"[index]})


def _with(s: State, index: int, writer: Writer) -> State:
    writers = (*s.writers[:index], writer, *s.writers[index + 1 :])
    return s._replace(writers=writers)


def _created(s: State, number: int, text: str) -> State:
    clock = s.clock + 1
    store = tuple(sorted((*s.store, (number, text, clock))))
    return s._replace(store=store, before=s.store, clock=clock)


def _free_names(store: Store) -> list[int]:
    used_numbers = {number for number, *_ in store}
    return [number for number in range(_ROOT - 1, _HIGHEST) if number not in used_numbers]


@cache
def _following(parent: str, number: int, kid: str) -> str:
    head = document.loads(parent)
    end = EndedKey(kid * 43, _ARN + kid, KeyState.REVOKED, _START, _START)
    keyset = replace(head.keyset, ended=(*head.keyset.ended, end))
    return document.dumps(
        replace(head, number=number, parent=document.digest(parent), keyset=keyset)
    )


@cache
def _forgeries(text: str, number: int) -> Mapping[str, str]:
    head = document.loads(text)
    child = replace(head, number=number, parent=document.digest(text), op_id="forged")
    return {
        "garbage": "{",
        "a root": document.dumps(replace(child, keyset=Keyset(), parent="")),
        "the past": document.dumps(replace(child, keyset=Keyset())),
        "what is lawful": document.dumps(child),
    }


@cache
def _parameters(store: Store) -> dict[int, StoredParameter]:
    return {
        number: StoredParameter(f"{number:012d}", text, 1, _START + timedelta(seconds=date))
        for number, text, date in store
    }


@cache
def trace(store: Store) -> Lineage | None:
    """The product's."""
    return lineage.trace(_parameters(store).values())


def prune(store: Store, chosen: Lineage, *, by_date: bool = True) -> Store:
    """The root goes with what stands between it and the next, if nothing older remains that could be one."""
    chain = {generation.number for generation in chosen.chain}
    root, following = chosen.chain[0].number, chosen.chain[1].number
    parameters = _parameters(store)
    remaining = tuple(one for one in store if not root <= one[0] < following)
    for number, _, _ in remaining:
        one = parameters[number]
        is_older = one.modified < parameters[following].modified
        if by_date and number not in chain and is_older and can_be_root(one):
            return store
    return remaining
