"""Mutants of what keeps a client's cut-offs while keys are rotated, revoked and rolled back beside them."""

from tests.model.mutants import Edit, Mutant

_ROTATION, _EMERGENCY, _RECONCILE, _ROLLBACK = (
    "rotation, cut-off",
    "emergency, cut-off",
    "cut-off, reconcile",
    "rollback, two cut-offs",
)


def _mutant(name: str, scenario: str, where: str, old: str, new: str) -> Mutant:
    return Mutant(f"cut-offs beside keys: {name}", scenario, (Edit(where, old, new),))


CUTS = (
    _mutant(
        "whoever signs next drops them",
        _ROTATION,
        "transitions._replace_keys",
        "replace(keyset, keys=",
        "Keyset(ended=keyset.ended, horizon=keyset.horizon, keys=",
    ),
    _mutant(
        "a revocation drops them",
        _EMERGENCY,
        "transitions._end_keys",
        "replace(keyset, keys=remaining,",
        "Keyset(horizon=keyset.horizon, keys=remaining,",
    ),
    _mutant(
        "a key that ends takes them along",
        _ROTATION,
        "transitions.forget",
        "if not cutoff.is_over(now)",
        "if False",
    ),
    _mutant(
        "a new standby drops them",
        _EMERGENCY,
        "transitions.register",
        "replace(keyset, keys=",
        "Keyset(ended=keyset.ended, horizon=keyset.horizon, keys=",
    ),
    _mutant(
        "for the lifetime that is deployed",
        _ROTATION,
        "token_revocation._longest_lifetime",
        "max((key.lifetime for key in keyset.keys), default=times.token_lifetime)",
        "times.token_lifetime",
    ),
    _mutant("no ε", _EMERGENCY, "timing.cutoff_before", "times.clock_skew + 1", "1"),
    _mutant("no second for the rounding", _ROTATION, "timing.cutoff_before", " + 1", ""),
    _mutant(
        "no λ and no ε at its end",
        _RECONCILE,
        "timing.cutoff_until",
        "lifetime + margin",
        "lifetime",
    ),
    _mutant(
        "dead with its key's lifetime", _ROTATION, "timing.cutoff_until", "lifetime + margin", "1"
    ),
    _mutant(
        "the instant of the write",
        _ROTATION,
        "token_revocation.cut_off",
        "CutOff(claim, digest, before,",
        "CutOff(claim, digest, timing.cutoff_before(now, times),",
    ),
    _mutant(
        "a token of the instant itself",
        _EMERGENCY,
        "cutoffs.CutOff.refuses",
        "issued_at < ",
        "issued_at + 1 < ",
    ),
    _mutant(
        "a cut-off ends a block",
        _ROLLBACK,
        "cutoffs.CutOff.merge",
        "None if self.until is None or other.until is None else max(self.until, other.until)",
        "self.until or other.until",
    ),
    _mutant(
        "the later one counts",
        _ROLLBACK,
        "cutoffs.merge",
        "cutoff.merge(by_value.get(value, cutoff))",
        "cutoff",
    ),
)
