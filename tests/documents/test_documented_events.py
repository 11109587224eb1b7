"""Each event's example in docs/signals.md has the members that the product sends, and no others."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.event_bus import EventBus
from keyturn.aws.stack import Stack
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.lineage import Lineage, StoredParameter
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.rotation import record_changes, report_failure, unlawful
from tests.documents.pages import PAGES, code, section

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENTS = section(PAGES["docs/signals.md"], "Events")


def examples() -> Mapping[str, Mapping[str, Any]]:
    """The example of each event: the block after the paragraph that begins with its name."""
    by_name = {}
    for before, block in re.findall(r"((?:.(?!```))*)\n```json\n(.*?)```", EVENTS, re.DOTALL):
        paragraphs = before.strip().split("\n\n")
        opening = next(one for one in paragraphs if re.match(r"`[A-Z]\w+`[:,]", one))
        for name in code(opening.partition(":")[0]):
            by_name[name] = json.loads(block)
    return by_name


class Bus:
    """EventBridge, which remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, Mapping[str, Any]] = {}

    def put_events(self, Entries: list[dict[str, str]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's
        """Accept all entries."""
        self.sent |= {entry["DetailType"]: json.loads(entry["Detail"]) for entry in Entries}
        return {"FailedEntryCount": 0}


@pytest.fixture
def bus() -> Bus:
    """The stack's event bus."""
    return Bus()


@pytest.fixture
def stack(bus: Bus) -> Any:
    """A stack with only an event bus, and a history with only the first generation."""
    history = SimpleNamespace(
        holds=lambda generation: generation.number == 1,
        keep=lambda *_: False,
        holds_unlawful=lambda *_: False,
        keep_unlawful=lambda *_: None,
    )
    return SimpleNamespace(event_bus=EventBus(bus, "keyturn"), history=history)  # type: ignore[arg-type]


def test_events_of_keys_and_tokens(stack: Any, bus: Bus) -> None:
    """The events of keys and tokens, all from one generation, have the documented members."""
    signing = Key("a", "arn:a", State.ACTIVE, 3600, NOW, published=NOW, activated=NOW)
    ended = (
        EndedKey("b", "arn:b", State.RETIRED, NOW, NOW),
        EndedKey("c", "arn:c", State.REVOKED, NOW, NOW),
    )
    cutoff = CutOff(Claim.CLIENT, digest_of("orders"), NOW, NOW + timedelta(hours=1))
    chain = (
        Generation(1, "op", "tests", "drill", NOW, Keyset()),
        Generation(2, "op", "tests", "drill", NOW, Keyset((signing,), ended, cutoffs=(cutoff,))),
    )
    stack.keysets = SimpleNamespace(read_generations=lambda: chain)
    record_changes.record_changes(stack)
    documented = examples()
    assert bus.sent.keys() == {
        "KeyPublished",
        "KeyActivated",
        "KeyRetired",
        "KeyRevoked",
        "TokensRevoked",
    }
    for name, detail in bus.sent.items():
        assert detail.keys() == documented[name].keys(), name


def test_unlawful_generation(stack: Any, bus: Bus) -> None:
    """`UnlawfulGeneration` has the documented members."""
    founded = Generation(1, "op", "tests", "drill", NOW, Keyset())
    stored = StoredParameter("000000000009", "{}", 1, NOW)
    stack.keysets = SimpleNamespace(
        read_all=lambda: ([stored], Lineage((founded,), 2, {})), remove=lambda _: None
    )
    unlawful.remove_unlawful(stack)
    assert bus.sent["UnlawfulGeneration"].keys() == examples()["UnlawfulGeneration"].keys()


def test_drift_repaired(stack: Any, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """`DriftRepaired`, here of restored generations, has the documented members."""
    for step in ("remove_unlawful", "step_over", "record_changes", "prune_generations"):
        monkeypatch.setattr(record_changes, step, lambda *_: [])
    monkeypatch.setattr(record_changes, "restore_generations", lambda _: [42])
    stack.clock = SimpleNamespace(new_id=lambda: "op")
    record_changes.run(stack)
    assert bus.sent["DriftRepaired"].keys() == examples()["DriftRepaired"].keys()
    assert bus.sent["DriftRepaired"]["repairs"] == {"restore_generations": [42]}


def test_rotation_failed(stack: Any, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """`RotationFailed` has the documented members."""
    monkeypatch.setattr(Stack, "from_environment", lambda: stack)
    context = SimpleNamespace(
        function_name="f", memory_limit_in_mb=1, invoked_function_arn="arn", aws_request_id="r"
    )
    detail = {"executionArn": "arn:e", "status": "FAILED", "input": '{"mode": "scheduled"}'}
    report_failure.handler({"detail": detail}, context)
    assert bus.sent["RotationFailed"].keys() == examples()["RotationFailed"].keys()


def test_every_event_has_an_example() -> None:
    """Each event that the page names has an example; without one it would be compared with nothing."""
    name = r"`((?:Key|Tokens|Rotation|Drift|Unlawful)[A-Z]?[a-z]+(?:[A-Z][a-z]+)?)`"
    assert set(re.findall(name, EVENTS)) == examples().keys()
