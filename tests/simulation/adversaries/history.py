"""An adversary with `s3:PutObject` on the history, whom the bucket's policy does not stop.

The bound: every generation is told and kept all the same, and nothing of theirs is put back into SSM (S13:
Play.finish, watch/truth.py). Left out is what only that policy prevents (docs/decisions/0021): the exact text of
a generation before Keyturn kept it, and a text that may follow what counts.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from keyturn.aws.keyset.history import _name
from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import find_violation
from keyturn.rotation import record_changes
from tests.cloud.s3 import Version
from tests.simulation.play import Play

Object = tuple[str, str]  # name and body
_DIGEST = "A" * 43


def who_may_write_history(play: Play, choose: Random) -> None:
    """Before a generation is there, before it is kept, and afterwards."""
    if not play.world.truth.landed:
        return
    for name, body in choose.choice(ACTS)(play, choose):
        _put(play, name, body.encode())


def who_may_invoke_record_changes(play: Play, choose: Random) -> None:
    """As the bus does, with an event of one's own: what happened is read from SSM."""
    number = play.world.truth.head.number if play.world.truth.landed else 1
    detail = {"operation": choose.choice(("Create", "Update", "Delete")), "name": f"{number:012d}"}
    event = choose.choice(({}, {"detail": detail}, {"source": "keyturn", "detail": {"kid": "x"}}))
    container = play.world.container("RecordChanges")
    play.world.call(record_changes, event, container, play.world.times.write_delay)


def names_of_a_number(play: Play, choose: Random) -> Iterator[Object]:
    """Many objects that say that they hold this generation, or the next."""
    number = play.world.truth.head.number + choose.randint(0, 3)
    for index in range(choose.randint(1, 14)):
        digest = f"{index:02d}{_DIGEST}"[:43]
        yield f"history/{number:012d}-{digest}.json", "{"


def other_bytes(play: Play, choose: Random) -> Iterator[Object]:
    """Under the names of generations in SSM, kept already or not."""
    for generation in play.world.truth.promised[-choose.randint(1, 4) :]:
        text = choose.choice(("", "{", play.world.truth.promised[0].text + " "))
        yield _name(generation.number, generation.text), text


def a_forged_successor(play: Play, choose: Random) -> Iterator[Object]:
    """What counted once, as what follows: revoked keys are live in it, and it was lost, they say."""
    head, past = play.world.truth.head, choose.choice(play.world.truth.promised)
    number = head.number + choose.randint(1, 7)
    forged = replace(
        past, number=number, parent=document.digest(head.text), at=head.at, op_id="forged"
    )
    if find_violation(head, forged):
        yield from _forged(play, forged)


def a_jwks_and_its_generation(play: Play, choose: Random) -> Iterator[Object]:
    """A JWKS from the future, and the generation in the history that it says it is of."""
    world, head = play.world, play.world.truth.head
    shown = world.s3.version(JWKS, world.now())
    if shown is None or any(world.truth.keyset.find(kid) is None for kid in world.jwks.shown):
        return
    number = head.number + choose.randint(1, 7)
    metadata = {"keyturn-generation": str(number)}
    body = json.dumps({**json.loads(shown.body), "generation": number}).encode()
    world.s3.objects[JWKS].append(Version(world.now(), body, metadata, shown.cache_control))
    yield from _forged(play, replace(head, number=number, parent=_DIGEST, op_id="forged"))


def strange_names(play: Play, choose: Random) -> Iterator[Object]:
    """Nothing that Keyturn writes, or would write."""
    number = play.world.truth.head.number + choose.randint(0, 2)
    yield f"history/{number:012d}.json", play.world.truth.head.text
    yield f"history/999999999999-{_DIGEST}.json", "{"
    yield f"history/unlawful/{number:012d}-{_DIGEST}.txt", "{"
    yield "history/", ""


ACTS: tuple[Callable[[Play, Random], Iterator[Object]], ...] = (
    names_of_a_number,
    other_bytes,
    a_forged_successor,
    a_jwks_and_its_generation,
    strange_names,
)


def _forged(play: Play, generation: Generation) -> Iterator[Object]:
    text = document.dumps(generation)
    play.world.truth.forged.add(text)
    yield _name(generation.number, text), text


def _put(play: Play, name: str, body: bytes) -> None:
    play.world.s3.objects.setdefault(name, []).append(Version(play.world.now(), body, {}, ""))
