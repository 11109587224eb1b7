"""Mutants of keyset/states.py and of the verifying side, keyset/model.py."""

from keyturn.keyset.states import Event, State
from tests.model.mutants import Edit, Entry, Mutant

_S, _A, _G, _R, _V = State.STANDBY, State.ACTIVE, State.GRACE, State.RETIRED, State.REVOKED
_SECOND = (
    "transitions.py refuses an EndedKey before and after it asks the table, publish and supersede only "
    "look at live keys, and an EndedKey has no times to live by; see the pairs with _get_live_key"
)


_OUT = {
    Event.PUBLISH: _S,
    Event.ACTIVATE: _A,
    Event.SUPERSEDE: _G,
    Event.ROLL_BACK: _A,
    Event.RETIRE: _R,
    Event.REVOKE: _V,
}


def _entry(state: State, event: Event, to: State | None, scenario: str) -> Mutant:
    leads = "is gone" if to is None else f"leads to {to}"
    return Mutant(f"table: {state} {event} {leads}", scenario, (Entry(state, event, to),))


_LIVE_GUARD = Edit(
    "transitions._get_live_key",
    "raise IllegalTransition(kid, key.state, event)",
    "fit = State.STANDBY if event is Event.ACTIVATE else State.GRACE; "
    "return Key(kid, key.kms_key_arn, fit, 1, key.created, key.ended.replace(year=1990))",
)
_REGISTER_GUARD = Edit("transitions.register", "isinstance(existing, EndedKey)", "False")


def _risen(state: State, event: Event, scenario: str) -> Mutant:
    name = f"table: {state} {event} leads to active, and _get_live_key lets it pass"
    return Mutant(name, scenario, (Entry(state, event, _A), _LIVE_GUARD))


TABLE = (
    _entry(_S, Event.ROLL_BACK, _A, "stray caller"),
    _entry(_S, Event.RETIRE, _R, "stray caller"),
    _entry(_A, Event.RETIRE, _R, "stray caller"),
    _entry(_G, Event.ACTIVATE, _A, "rollback, late ActivateKey"),
    _entry(_S, Event.REVOKE, _S, "registration race"),
    _entry(_A, Event.REVOKE, _G, "emergency, all terms"),
    _entry(_G, Event.REVOKE, _G, "emergency on grace"),
    _entry(_G, Event.RETIRE, _G, "rotation"),
    _entry(_A, Event.SUPERSEDE, _R, "rotation"),
    _entry(_A, Event.SUPERSEDE, _S, "rotation"),
    _entry(_G, Event.ROLL_BACK, _S, "rollback at the last moment"),
    _entry(_S, Event.PUBLISH, None, "rotation"),
    _entry(_A, Event.PUBLISH, None, "empty keyset, reconcile"),
    _entry(_G, Event.PUBLISH, None, "emergency, rollback"),
    _entry(_S, Event.ACTIVATE, None, "empty keyset, reconcile"),
    _risen(_R, Event.ROLL_BACK, "stray caller"),
    _risen(_R, Event.ACTIVATE, "stray caller"),
    _risen(_V, Event.ROLL_BACK, "stray caller, emergency"),
    _risen(_V, Event.ACTIVATE, "stray caller, emergency"),
    Mutant(
        "table: standby and grace supersede lead to grace",
        "rotation",
        tuple(Entry(state, Event.SUPERSEDE, _G) for state in (_S, _G)),
        "only the active key is ever superseded",
    ),
    Mutant(
        "table: active activate and roll_back lead to active",
        "stray caller",
        tuple(Entry(_A, event, _A) for event in (Event.ACTIVATE, Event.ROLL_BACK)),
        "activate() and roll_back() answer that the key signs already before they ask the table",
    ),
    *(
        Mutant(
            f"table: everything leads out of {state}",
            "stray caller, emergency",
            tuple(Entry(state, event, to) for event, to in _OUT.items()),
            _SECOND,
        )
        for state in (_R, _V)
    ),
)


def _verifies(name: str, old: str, new: str, why: str = "") -> Mutant:
    edit = Edit("model.Key.verifies", old, new)
    scenario = "rollback at the last moment" if why else "rotation"
    return Mutant(f"verifies: {name}", scenario, (edit,), why)


WITHIN = Edit("model.Key.verifies", "now <= self.verify_until", "now < self.verify_until")
VERIFIES = (
    _verifies("not by the active key", "return True", "return False"),
    _verifies("by an unpublished standby", "self.published is not None", "True"),
    _verifies("not by a standby", "self.published is not None", "False"),
    _verifies("by grace keys for ever", " and now <= self.verify_until", ""),
    _verifies("not by grace keys", "self.verify_until is not None and", "False and"),
    Mutant(
        "verifies: < instead of ≤ verify_until",
        "rotation",
        (WITHIN,),
        "no token lives at verify_until itself (it has expired when now = exp + λ), and roll_back is "
        "strict for the same instant: the pair of both is killed",
    ),
    Mutant(
        "verifies: < verify_until, and roll_back not strict",
        "rollback at the last moment",
        (WITHIN, Edit("transitions.roll_back", "now >= limit", "now > limit")),
    ),
)
