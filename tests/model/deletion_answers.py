"""What the product answers in tests/model/deletion.py, each question asked once of each store and history."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.reader import GenerationLost
from keyturn.keyset import timing, token_revocation, transitions
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.keyset.errors import KeysetFault, Refused
from keyturn.keyset.lineage import Lineage
from keyturn.keyset.model import Keyset, Origin
from keyturn.rotation import put_back, repair_keyset
from tests.model.deletion_stack import (
    LIMITS,
    START,
    History,
    Objects,
    Parameters,
    Put,
    Store,
    forebears,
    generation,
    is_generation,
    stack_of,
    store_of,
    text_number,
)
from tests.periods import DEFAULTS

CLIENT = digest_of("client")


class Writer(NamedTuple):
    """A writer's change and progress; it writes `text` after `parent`, which is -1 before that."""

    wish: str
    step: str = "read"
    text: int = -1
    parent: int = -1
    tries: int = 0


@cache
def planned(store: Store, writer: Writer) -> Writer | None:
    """The write that follows from a writer's read; None if it cannot continue."""
    keysets = store_of(Parameters(store))
    try:
        chosen = keysets.read_lineage()
        head = chosen.head
        changed = _WISHES[writer.wish](head.keyset)
        if changed == head.keyset:
            return Writer(writer.wish, "done", text_number(head.text))
        origin = Origin(f"{writer.wish}{writer.tries}", "", "")
        sealed = keysets._build_generation(head, chosen.next_number, origin, changed, START)
    except (KeysetFault, Refused):
        return None
    following, parent = text_number(sealed.text), text_number(head.text)
    return writer._replace(step="create", text=following, parent=parent)


@cache
def is_read_back(store: Store, parent: int, text: int) -> bool:
    """Whether a writer that wrote this after its parent takes it for made."""
    keysets = store_of(Parameters(store))
    try:
        return keysets._is_appended(generation(parent), generation(text))
    except (AwsFault, KeysetFault):
        return False


@cache
def lineage(store: Store) -> Lineage | None:
    """The lineage that a new container reads."""
    try:
        return store_of(Parameters(store)).read_lineage()
    except KeysetFault:
        return None


@cache
def chain(store: Store) -> tuple[int, ...]:
    """Its texts."""
    chosen = lineage(store)
    return tuple(text_number(one.text) for one in chosen.chain) if chosen else ()


def recordable(store: Store, history: History) -> int | None:
    """The oldest generation that counts and is not recorded."""
    return next((text for text in chain(store) if text not in history), None)


@cache
def _restored(store: Store, history: History) -> tuple[Put, ...]:
    parameters = Parameters(store, plans=True)
    put_back.restore_generations(stack_of(parameters, Objects(history)))
    return tuple(parameters.puts)


@cache
def _joined(store: Store, history: History) -> tuple[Put, ...]:
    parameters = Parameters(store, plans=True)
    try:
        repair_keyset.join_branches(
            stack_of(parameters, Objects(history)), Origin("join", "reconcile", "")
        )
    except KeysetFault:
        return ()
    return tuple(parameters.puts)


REPAIRED: Mapping[str, Callable[[Store, History], tuple[Put, ...]]] = {
    "restore": lambda store, history: _restored(store, history),
    "join": lambda store, history: _joined(store, history),
}


@cache
def newer(store: Store, text: int) -> int | None:
    """The generation that a reader of this one accepts; None if it keeps its own."""
    try:
        return text_number(store_of(Parameters(store)).read_newer(generation(text)).text)
    except (GenerationLost, KeysetFault):
        return None


@cache
def overtaken(store: Store, history: History) -> frozenset[int]:
    """What is not recorded and stands above a name that something else has taken."""
    standing = {number: text for number, text, _ in store}
    unrecorded = {text for text in standing.values() if is_generation(text)} - {*history}
    return frozenset(
        text
        for text in unrecorded
        if any(standing.get(generation(one).number, one) != one for one in forebears(text))
    )


def forget() -> None:
    """Forget the product's remembered answers, before a mutant of it answers."""
    for answers in (overtaken, planned, is_read_back, lineage, chain, _restored, _joined, newer):
        answers.cache_clear()


def _revoked(kid: str) -> Callable[[Keyset], Keyset]:
    return lambda keyset: transitions.revoke(
        keyset, [kid * 43], START, times=DEFAULTS, limits=LIMITS
    )


def _cut_off(keyset: Keyset) -> Keyset:
    before = timing.cutoff_before(START, DEFAULTS)
    requested = [(Claim.CLIENT, CLIENT)]
    return token_revocation.cut_off(
        keyset, requested, START, before=before, times=DEFAULTS, limits=LIMITS
    )


_WISHES: Mapping[str, Callable[[Keyset], Keyset]] = {
    "revoke A": _revoked("A"),
    "revoke B": _revoked("B"),
    "cut off": _cut_off,
}
