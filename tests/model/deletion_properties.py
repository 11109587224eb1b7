"""What must hold while generations are deleted, and what one reconcile must make of any state.

S9: no reader goes back, whatever is deleted. And after one reconcile that runs undisturbed (docs/threat-model.md,
the bound of `ssm:DeleteParameters`): S5, what was ever recorded as ended or cut off is so for a new container,
and so is what was acknowledged unless it was deleted before it was recorded; a reader that holds what counts,
or what the head may follow, comes to the head; without a second writer all is as it was; a second run finds
nothing to do; the next name is free (L2).
"""

from functools import cache

from keyturn.keyset.cutoffs import Claim
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import EndedKey, Origin
from keyturn.keyset.succession import find_violation
from keyturn.rotation import put_back, record_changes, repair_keyset, unlawful
from tests.model import deletion_answers as answers
from tests.model.deletion import State, name
from tests.model.deletion_answers import CLIENT
from tests.model.deletion_stack import (
    History,
    Objects,
    Parameters,
    Store,
    forebears,
    generation,
    is_generation,
    parent,
    stack_of,
    store_of,
    text_number,
)


def wrong(s: State) -> str:
    """The first violation in this state."""
    for text in s.held:
        after = answers.newer(s.store, text)
        if after is not None and goes_back(text, after):
            return f"S9: a reader that holds {name(text)} goes back to {name(after)}"
    if _is_severed(s.store, s.history):
        return ""
    recovered = _recovered(s.store, s.history)
    if isinstance(recovered, str):
        return recovered
    store, head = recovered
    return _forgotten(s, head) or _left_behind(s, store, head) or _changed_unasked(s, store, head)


@cache
def goes_back(held: int, after: int) -> bool:
    """Whether a reader that held the one must not take the other."""
    return find_violation(generation(held), generation(after)) is not None


@cache
def _is_severed(store: Store, history: History) -> bool:
    """Whether the oldest parameter follows an unrecorded one, so that its place cannot be known."""
    lineage = answers.lineage(store)
    root = parent(text_number(lineage.chain[0].text)) if lineage else None
    return not set(forebears(root)).issubset(history)


@cache
def _recovered(store: Store, history: History) -> tuple[Store, int] | str:
    """The store after one reconcile with its lineage, or the violation in it."""
    parameters, objects = Parameters(store), Objects(history)
    try:
        _reconcile(parameters, objects)
        after = parameters.store
        _reconcile(parameters, objects)
    except KeysetFault as error:
        return f"L1: reconcile ends in {type(error).__name__}: {error}"
    if parameters.store != after:
        return "L1: a second reconcile finds something to do"
    lineage = store_of(parameters).read_lineage()
    if any(number == lineage.next_number for number, *_ in after):
        return "L2: no writer can create the next generation"
    head = text_number(lineage.head.text)
    if violation := _ended_on_record(history, head):
        return violation
    return after, head


def _reconcile(parameters: Parameters, objects: Objects) -> None:
    """What rotation/reconcile.py does for the keyset's generations, in its order."""
    stack, origin = stack_of(parameters, objects), Origin("id", "reconcile", "")
    put_back.restore_generations(stack)
    stack.keysets.read()
    repair_keyset.join_branches(stack, origin)
    unlawful.remove_unlawful(stack)
    unlawful.step_over(stack, origin)
    record_changes.record_changes(stack)


def _ended_on_record(history: History, head: int) -> str:
    """S5 for what the history has, unless a generation before it was deleted unrecorded."""
    for text in history:
        if not set(forebears(text)).issubset(history):
            continue
        if missing := _missing(text, head):
            return f"S5: {missing} on record in {name(text)}, and is not in {name(head)} after a reconcile"
    return ""


@cache
def _missing(text: int, head: int) -> str:
    """The first key that ended, or cut-off that was made, in `text` but is missing in `head`."""
    before, after = generation(text).keyset, generation(head).keyset
    for key in before.ended:
        if not isinstance(after.find(key.kid), EndedKey):
            return f"{key.kid[0]} ended"
    cutoff, standing = before.cutoff(Claim.CLIENT, CLIENT), after.cutoff(Claim.CLIENT, CLIENT)
    if cutoff and (standing is None or standing.merge(cutoff) != standing):
        return "a cut-off"
    return ""


def _forgotten(s: State, head: int) -> str:
    """S5 for what was acknowledged and not deleted before it was recorded."""
    for writer in s.writers:
        if writer.step != "done" or _is_lost(s, writer.text):
            continue
        if _missing(writer.text, head):
            return (
                f"S5: {writer.wish} was acknowledged, and is not in {name(head)} after a reconcile"
            )
    return ""


def _left_behind(s: State, store: Store, head: int) -> str:
    """S2: a reader ages as without SSM only if the head cannot have become of what it holds."""
    for text in s.held:
        after = answers.newer(store, text)
        may_age = goes_back(text, head) or _is_lost(s, text)
        if after != head and (after is not None or not may_age):
            return f"S2: a reader that holds {name(text)} does not come to {name(head)} after a reconcile"
    return ""


def _changed_unasked(s: State, store: Store, head: int) -> str:
    """Where no writer was faster, all that was recorded counts again as it was, and nothing else."""
    texts = {text for _, text, _ in s.store if is_generation(text)} | {*s.history}
    parents = [parent(text) for text in texts if parent(text) is not None]
    if s.gone or any(_is_overtaken(s, text) for text in texts) or len(parents) != len(set(parents)):
        return ""
    newest = max(texts, key=lambda text: generation(text).number)
    if newest not in forebears(head) or generation(head).keyset != generation(newest).keyset:
        return f"S9: {name(newest)} does not come back as it was"
    return ""


def _is_lost(s: State, text: int) -> bool:
    """Whether it was deleted before it was recorded, or overtaken then, or what it follows was."""
    return not s.gone.isdisjoint(forebears(text))


def _is_overtaken(s: State, text: int) -> bool:
    """Whether something else stands under its name."""
    return any(one != text and number == generation(text).number for number, one, _ in s.store)


def forget() -> None:
    """Forget the product's remembered answers, before a mutant of it answers."""
    answers.forget()
    for answered in (goes_back, _is_severed, _recovered, _missing):
        answered.cache_clear()
