"""The product's own code on a given store and history: what it reads, what it would write, what it repairs.

KeysetStore, put_back.py, repair_keyset.py, record_changes.py and unlawful.py run here as they are. Texts are
numbered; a store is what SSM holds, a history the objects in the bucket, the oldest first. Everything happens
at one instant by every clock, but for the order in which SSM dates what was created.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from keyturn.aws.keyset.history import HistoryObject
from keyturn.aws.keyset.store import KeysetStore
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.model import Generation
from keyturn.keyset.timing import Limits
from tests.periods import DEFAULTS

START = datetime(2026, 3, 1, tzinfo=UTC)
LIMITS = Limits()
Parameter = tuple[int, int, int]  # its number, its text's number, its rank by SSM's date
Store = tuple[Parameter, ...]
History = tuple[int, ...]  # texts

TEXTS: list[str] = []
_NUMBERS: dict[str, int] = {}
_GENERATIONS: list[Generation | None] = []
_BY_DIGEST: dict[str, int] = {}


class Put(NamedTuple):
    """A parameter that is created unless its name is taken."""

    number: int
    text: int


def text_number(text: str) -> int:
    """What stands for this text."""
    if text not in _NUMBERS:
        _NUMBERS[text] = len(TEXTS)
        TEXTS.append(text)
        _BY_DIGEST[document.digest(text)] = _NUMBERS[text]
        try:
            _GENERATIONS.append(document.loads(text))
        except DocumentInvalid:
            _GENERATIONS.append(None)
    return _NUMBERS[text]


def generation(text: int) -> Generation:
    """The generation that a text holds."""
    original = _GENERATIONS[text]
    assert original
    return original


def is_generation(text: int) -> bool:
    """Whether a text is one: placeholders are none."""
    return _GENERATIONS[text] is not None


def parent(text: int) -> int | None:
    """The text that a generation names as its parent."""
    return _BY_DIGEST.get(generation(text).parent)


def forebears(text: int | None) -> Iterator[int]:
    """A text, its parent, and so on."""
    while text is not None:
        yield text
        text = parent(text)


class Parameters:
    """SSM's client: answers from the store, and creates parameters in it unless it only `plans`."""

    def __init__(self, store: Store, *, plans: bool = False) -> None:
        self.store = store
        self.puts: list[Put] = []
        self._plans = plans

    def get_paginator(self, _operation: str) -> "Parameters":
        """One page has all."""
        return self

    def paginate(self, **_path: str) -> list[Any]:
        """Everything that is stored."""
        return [{"Parameters": [_stored(one) for one in self.store]}]

    def get_parameters(self, Names: list[str]) -> Any:  # noqa: N803 - SSM's own
        """Those of these names."""
        numbers = {int(name.rpartition("/")[2]) for name in Names}
        return {"Parameters": [_stored(one) for one in self.store if one[0] in numbers]}

    def put_parameter(self, Name: str, Value: str, **_members: Any) -> None:  # noqa: N803
        """Create it; refused as SSM does if the name is taken."""
        put = Put(int(Name.rpartition("/")[2]), text_number(Value))
        self.puts.append(put)
        if self._plans:
            return
        after = created(self.store, put)
        if after is None:
            raise ClientError({"Error": {"Code": "ParameterAlreadyExists"}}, "PutParameter")
        self.store = after

    def delete_parameters(self, Names: list[str]) -> None:  # noqa: N803
        """Delete these."""
        numbers = {int(name.rpartition("/")[2]) for name in Names}
        self.store = ranked(one for one in self.store if one[0] not in numbers)


class Objects:
    """The history's, as `keyturn.aws.keyset.history.History` answers."""

    def __init__(self, history: History) -> None:
        self.texts = history

    def generations(self, since: int = 0, most: int | None = None) -> list[HistoryObject]:
        """By number, then by age."""
        objects = [
            HistoryObject(
                str(text),
                generation(text).number,
                document.digest(TEXTS[text]),
                START + timedelta(seconds=age),
            )
            for age, text in enumerate(self.texts)
        ]
        ordered = sorted(objects, key=lambda one: (one.number or 0, one.modified))
        return [one for one in ordered if (one.number or 0) >= since][:most]

    objects = generations

    def read(self, stored: HistoryObject) -> Generation:
        """What is in an object."""
        return generation(int(stored.name))

    def holds(self, one: Generation) -> bool:
        """Whether this very text is kept."""
        return text_number(one.text) in self.texts

    def keep(self, _number: int, text: str) -> bool:
        """Keep it, the youngest of all."""
        self.texts = (*self.texts, text_number(text))
        return False

    def holds_unlawful(self, _name: str, _text: str) -> bool:
        """The model does not ask what was announced."""
        return True


class _Clock:
    """Nothing takes any time here."""

    def now(self) -> datetime:
        return START

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        pass

    def fraction(self) -> float:
        return 0.0

    def new_id(self) -> str:
        return "id"


def store_of(parameters: Parameters) -> KeysetStore:
    """The product's reader and writer on these."""
    ssm = cast("Any", parameters)
    return KeysetStore("s", _Clock(), ssm, ssm)


def stack_of(parameters: Parameters, objects: Objects) -> Stack:
    """As much of a stack as repairs need."""
    members: Mapping[str, Any] = {
        "keysets": store_of(parameters),
        "history": objects,
        "clock": _Clock(),
        "times": DEFAULTS,
        "limits": LIMITS,
        "event_bus": SimpleNamespace(put=lambda _events: None),
    }
    return cast("Stack", SimpleNamespace(**members))


def created(store: Store, put: Put) -> Store | None:
    """The store with one more parameter, the youngest; None if its name is taken."""
    if any(number == put.number for number, *_ in store):
        return None
    return tuple(sorted((*store, (put.number, put.text, len(store)))))


def ranked(parameters: Iterator[Parameter]) -> Store:
    """These, with their dates counted from the oldest."""
    remaining = tuple(parameters)
    ranks = {date: rank for rank, date in enumerate(sorted(date for *_, date in remaining))}
    return tuple((number, text, ranks[date]) for number, text, date in remaining)


def _stored(parameter: Parameter) -> Any:
    number, text, date = parameter
    return {
        "Name": f"/keyturn/s/keyset/{number:012d}",
        "Value": TEXTS[text],
        "Version": 1,
        "LastModifiedDate": START + timedelta(seconds=date),
    }
