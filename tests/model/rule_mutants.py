"""Mutants of keyset/transitions.py, keyset/timing.py and keyset/planning.py, and of the design."""

from tests.model.mutants import Edit, Mutant


def _change(function: str, what: str, scenario: str, old: str, new: str, why: str = "") -> Mutant:
    edit = Edit(f"transitions.{function}", old, new)
    return Mutant(f"{function}: {what}", scenario, (edit,), why)


_SIGNS_ALREADY = "if keyset.active and keyset.active.kid == kid:"
TRANSITIONS = (
    _change(
        "register",
        "an ended key again",
        "late registration",
        "isinstance(existing, EndedKey)",
        "False",
    ),
    _change("register", "not the same twice", "rotation", "if existing:", "if False:"),
    _change("register", "beside a standby", "registration race", "if keyset.standby:", "if False:"),
    _change(
        "register",
        "however old",
        "late registration",
        "now - created > limits.registration_age",
        "False",
    ),
    _change(
        "register",
        "behind the horizon",
        "late registration",
        " or keyset.is_behind_horizon(birth)",
        "",
    ),
    _change(
        "forget",
        "the horizon stays where it was",
        "late registration",
        "key.created for key in keyset.ended if key not in ended",
        "key.created for key in ()",
    ),
    _change(
        "activate",
        "a JWKS that is full",
        "a full JWKS",
        "takeover.reason is planning.TakeoverReason.JWKS_FULL",
        "False",
    ),
    _change(
        "publish",
        "what the JWKS does not show",
        "rotation, emergency on standby",
        "key.kid in published_kids and ",
        "",
    ),
    _change("publish", "again and again", "rotation", " and key.published is None", ""),
    _change("activate", "not the same twice", "rotation", _SIGNS_ALREADY, "if False:"),
    _change(
        "activate", "whoever is active", "stray caller", "_check_active(keyset, supersede)", "pass"
    ),
    _change(
        "activate",
        "unpublished",
        "stray caller",
        "    if keyset.active:\n",
        "    if keyset.active and standby.published:\n",
    ),
    _change("activate", "without a wait", "rotation", "now <= takeover.after", "False"),
    _change(
        "activate",
        "≥ instead of >",
        "rotation, C over P",
        "now <= takeover.after",
        "now < takeover.after",
    ),
    _change(
        "activate",
        "a wait while nobody signs",
        "empty keyset, reconcile",
        "    if keyset.active:\n",
        "    if True:\n",
    ),
    _change("roll_back", "not the same twice", "rotation, rollback", _SIGNS_ALREADY, "if False:"),
    _change(
        "roll_back", "whoever is active", "stray caller", "_check_active(keyset, supersede)", "pass"
    ),
    _change("roll_back", "however late", "rollback at the last moment", "now >= limit", "False"),
    _change(
        "roll_back",
        "≤ instead of <",
        "rollback at the last moment",
        "now >= limit",
        "now > limit",
        "at the limit itself the last view ends at verify_until, when the reader still accepts (≤): "
        "the pair of both is killed",
    ),
    _change(
        "retire",
        "not the same twice",
        "rotation",
        "keyset.get(kid).state is State.RETIRED",
        "False",
    ),
    _change("retire", "without a wait", "rotation", "now <= ready", "False"),
    _change("retire", "≥ instead of >", "rotation, P long", "now <= ready", "now < ready"),
    Mutant(
        "retire_overdue: without a wait",
        "rotation, reconcile",
        (
            Edit(
                "diagnosis.overdue_keys",
                "now > timing.retire_after(key.verify_until, times)",
                "True",
            ),
        ),
    ),
    _change(
        "revoke",
        "no standby takes its place",
        "emergency, all terms",
        "keyset.active in revoked and remaining.standby",
        "False",
    ),
    _change(
        "revoke",
        "the standby always signs",
        "emergency on grace",
        "keyset.active in revoked and ",
        "",
    ),
    _change("revoke", "not the same twice", "emergency, all terms", " if isinstance(key, Key)", ""),
    _change(
        "_make_active",
        "the deployed L instead of the key's",
        "rotation, another L deployed",
        "active.lifetime",
        "times.token_lifetime",
    ),
    _change(
        "_make_active", "no activated", "two rotations by age", "activated=at", "activated=None"
    ),
    _change(
        "_make_active",
        "the active key stays active",
        "rotation",
        "_replace_keys(keyset, superseded, activated)",
        "_replace_keys(keyset, activated)",
    ),
)


def _rule(function: str, term: str, scenario: str, old: str, new: str) -> Mutant:
    return Mutant(f"{function}: {term}", scenario, (Edit(f"timing.{function}", old, new),))


def _revoked_by(term: str, old: str, new: str) -> Mutant:
    return _rule("revocation_bound", term, "emergency, all terms", old, new)


def _rolled_back(term: str, old: str, new: str) -> Mutant:
    return _rule("roll_back_before", term, "rollback at the last moment", old, new)


def _grace(term: str, old: str, new: str) -> Mutant:
    return _rule("grace_period", term, "rotation", old, new)


_LONGER, _C_OVER_P = "max(times.propagation, times.view_ttl)", "rotation, C over P"
TIMING = (
    _rule("publication_wait", "no P", "rotation, P long", _LONGER, "times.view_ttl"),
    _rule("publication_wait", "no C", _C_OVER_P, _LONGER, "times.propagation"),
    _rule(
        "publication_wait",
        "min instead of max",
        _C_OVER_P,
        _LONGER,
        "min(times.propagation, times.view_ttl)",
    ),
    _rule("publication_wait", "no ω", _C_OVER_P, " + times.write_delay", ""),
    _rule("publication_wait", "no ε", _C_OVER_P, " + times.clock_skew", ""),
    _grace("no ω", "times.write_delay + ", ""),
    _grace("no C", " + times.view_ttl", ""),
    _grace("no τ", " + times.issuer_timeout", ""),
    _grace("no lifetime", "margin + lifetime", "margin"),
    _grace("no λ", " + times.leeway", ""),
    _grace("no ε", " + times.clock_skew", ""),
    _rule("retire_after", "no ε", "rotation, P long", "times.clock_skew", "0"),
    _rolled_back("no ω", "times.write_delay + ", ""),
    _rolled_back("no C", "times.view_ttl + ", ""),
    _rolled_back("no ε", " + times.clock_skew", ""),
    _rule("due_at", "no R", "two rotations by age", "times.rotation_period", "0"),
    _revoked_by("no C", "times.view_ttl + ", ""),
    _revoked_by("no G", "times.result_ttl + ", ""),
    _revoked_by("no ε", " + times.clock_skew", ""),
)

PLANNING = (
    Mutant(
        "plan_rotation: > instead of ≥ R",
        "two rotations by age",
        (Edit("planning.plan_rotation", "now < timing.due_at", "now <= timing.due_at"),),
    ),
    Mutant(
        "plan_rotation: an operator's request that is fulfilled already",
        "rotation twice",
        (Edit("planning.plan_rotation", "active and active.kid == requested_kid", "active"),),
    ),
)

DESIGN = (
    Mutant(
        "JWKS: an ETag of the keys alone, no generation in the body",
        "three projectors",
        broken={"etag_of_keys": True},
    ),
    Mutant(
        "PlanRotation: a run only knows of an activation whose reply it got",
        "rotation, rollback",
        broken={"finds_own_activation": False},
    ),
)
