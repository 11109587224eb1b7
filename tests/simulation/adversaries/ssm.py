"""An adversary whose only permission is to create parameters, without overwriting any, or to delete them (S13).

The bound of a deletion is its repair from the history, in order: within seconds by SSM's own event, or by
the next reconcile. Warm readers never go back (watch/truth.py knows what is hidden, and until when).

What the creator writes is whatever would help: garbage where the next generation belongs, the past brought back
under a name of today, a keyset of one's own far above or below, a second name for a number. What the rules
of succession allow is left out: it is what the workflow itself may do, and denies service at most.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.model import Generation, Keyset
from keyturn.keyset.succession import find_violation
from tests.simulation.play import Play

_PATH = "/keyturn/sim/keyset/"
_END = 999_999_999_999


def who_may_create_parameters(run: Play, choose: Random) -> None:
    """Without overwriting any. While everything is deleted, two permissions would be at work."""
    if run.world.truth.gone is not None and not run.world.truth.stored():
        return
    for name, text in choose.choice(ACTS)(run, choose):
        if run.world.truth.landed and not _is_lawful(run, text):
            run.world.ssm.plant(f"{_PATH}{name}", text)


def who_may_delete_parameters(run: Play, choose: Random) -> None:
    """The newest, some in between, or all of them; each of which the history has.

    What was written within the last second may be in no history yet, and is then gone for good: that is
    beyond the bound (docs/threat-model.md). The oldest alone goes with a creator's text in mind only.
    """
    chain = run.world.truth.stored()
    if run.world.truth.was_lost:
        return  # misfortune enough
    recorded = [one for one in chain if _is_kept(run, one)]
    if not recorded or recorded[-1] != chain[-1]:
        return
    victims = choose.choice(DELETIONS)(recorded[1:], choose)
    names = [f"{_PATH}{_name(one.number)}" for one in victims]
    run.delete(names or [name for name in run.world.ssm.parameters if name.startswith(_PATH)])


def _is_kept(run: Play, generation: Generation) -> bool:
    name = f"history/{_name(generation.number)}-{document.digest(generation.text)}.json"
    recorded = run.world.s3.version(name, run.world.now())
    return recorded is not None and recorded.body.decode() == generation.text


def the_newest(chain: list[Generation], choose: Random) -> list[Generation]:
    """One of them, or a few."""
    return chain[-choose.randint(1, 3) :]


def one_in_between(chain: list[Generation], choose: Random) -> list[Generation]:
    """What stands above it has lost its parent."""
    return [choose.choice(chain)] if chain else []


def every_one(_chain: list[Generation], _choose: Random) -> list[Generation]:
    """Whatever is stored, also what does not count."""
    return []


DELETIONS: tuple[Callable[[list[Generation], Random], list[Generation]], ...] = (
    the_newest,
    the_newest,
    one_in_between,
    every_one,
)


def _is_lawful(run: Play, text: str) -> bool:
    """A rollback of a rollback, say."""
    try:
        return find_violation(run.world.truth.head, document.loads(text)) is None
    except DocumentInvalid:
        return False


Text = tuple[str, str]


def garbage(run: Play, choose: Random) -> Iterator[Text]:
    """Nothing that could be read, under the next names."""
    for ahead in range(1, choose.randint(2, 14)):
        yield _name(run.world.truth.head.number + ahead), "{"


def the_past(run: Play, choose: Random) -> Iterator[Text]:
    """An older keyset as the successor of the newest: revoked keys are live in it."""
    head = run.world.truth.head
    past = choose.choice(run.world.truth.promised)
    yield _forged(head, head.number + choose.randint(1, 3), past.keyset)


def a_low_root(run: Play, choose: Random) -> Iterator[Text]:
    """What counted once, under a low number that is free, with no parent at all."""
    past = choose.choice(run.world.truth.promised)
    number = choose.randint(1, 3)
    yield _name(number), document.dumps(replace(past, number=number, parent=""))


def far_above(run: Play, choose: Random) -> Iterator[Text]:
    """Where a free name is below it; and the last number that there is."""
    head = run.world.truth.head
    for number in (head.number + choose.randint(4, 12), _END):
        yield _forged(head, number, choose.choice(run.world.truth.promised).keyset)


def a_second_name(run: Play, choose: Random) -> Iterator[Text]:
    """Other spellings of the newest generation's number."""
    head = run.world.truth.head
    _, text = _forged(head, head.number, choose.choice(run.world.truth.promised).keyset)
    yield str(head.number), text
    yield f"0{head.number:012d}", text


ACTS: tuple[Callable[[Play, Random], Iterator[Text]], ...] = (
    garbage,
    the_past,
    a_low_root,
    far_above,
    a_second_name,
)


def _forged(head: Generation, number: int, keyset: Keyset) -> Text:
    parent = document.digest(head.text)
    return _name(number), document.dumps(
        replace(head, number=number, parent=parent, keyset=keyset, op_id="forged")
    )


def _name(number: int) -> str:
    return f"{number:012d}"
