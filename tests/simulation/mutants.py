"""Deliberate faults in the product, each of which the simulator must catch through the handlers.

A mutant is the design's own list of what was tried and broke, written as a patch.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from keyturn.aws import keyset_view, well_known
from keyturn.aws.keyset_store import KeysetStore
from keyturn.aws.keyset_view import KeysetView
from keyturn.aws.well_known import WellKnown
from keyturn.keyset import states, timing, transitions
from keyturn.keyset.states import Event, State
from keyturn.keyset.timing import Times
from keyturn.rotation import (
    activate_key,
    create_key,
    disable_keys,
    plan_rotation,
    publish_jwks,
    reconcile,
    revoke_keys,
)
from keyturn.rotation.task import EmergencyInput, task

Mutant = Callable[[], AbstractContextManager[Any]]


def a_generation_is_overwritten() -> AbstractContextManager[Any]:
    """PutParameter with Overwrite: the last writer wins."""

    def create(self: Any, number: int, text: str) -> None:
        self._writes.put_parameter(
            Name=self._name(number), Value=text, Type="String", Tier="Standard", Overwrite=True
        )

    return patch.object(KeysetStore, "_create", create)


def the_wait_equals_the_ttl() -> AbstractContextManager[Any]:
    """A standby signs as soon as its JWKS is P old."""
    return patch.object(
        timing, "publication_wait", lambda t: timedelta(seconds=max(t.propagation, t.view_ttl))
    )


def the_publication_wait_lacks_omega() -> AbstractContextManager[Any]:
    """Views that are C old know of the publication only once its write has landed."""

    def wait(t: Times) -> timedelta:
        return timedelta(seconds=max(t.propagation, t.view_ttl) + t.clock_skew)

    return patch.object(timing, "publication_wait", wait)


def the_publication_wait_lacks_the_views() -> AbstractContextManager[Any]:
    """Only the JWKS is waited for."""

    def wait(t: Times) -> timedelta:
        return timedelta(seconds=t.propagation + t.write_delay + t.clock_skew)

    return patch.object(timing, "publication_wait", wait)


def _grace(of: Callable[[Times, int], int]) -> AbstractContextManager[Any]:
    return patch.object(timing, "grace_period", lambda t, life: timedelta(seconds=of(t, life)))


def grace_is_the_token_lifetime() -> AbstractContextManager[Any]:
    """Whoever signs with an older view is forgotten."""
    return _grace(lambda _t, lifetime: lifetime)


def grace_lacks_c_and_tau() -> AbstractContextManager[Any]:
    """An issuer with an older view signs for C + τ after the swap."""
    return _grace(lambda t, life: t.write_delay + life + t.leeway + t.clock_skew)


def a_new_lifetime_applies_to_keys_in_use() -> AbstractContextManager[Any]:
    """Grace is counted with the lifetime of today's deployment."""
    return _grace(
        lambda t, _life: (
            t.write_delay
            + t.view_ttl
            + t.issuer_timeout
            + t.token_lifetime
            + t.leeway
            + t.clock_skew
        )
    )


def an_equal_jwks_is_not_written() -> AbstractContextManager[Any]:
    """The same keys are taken for the same generation."""

    def project(stack: Any, origin: Any) -> Any:
        for _ in range(20):
            generation = stack.keysets.read()
            seen = stack.well_known.read()
            if seen is None or set(seen.keys) != {k.kid for k in generation.keyset.keys}:
                publish_jwks._write(stack, generation, seen)
                continue
            noted = publish_jwks._note_published(stack, seen, origin)
            if set(seen.keys) == {k.kid for k in noted.keyset.keys}:
                return noted
        raise publish_jwks.JwksBusy

    return _everywhere("project", project, publish_jwks, reconcile)


def the_jwks_is_written_without_a_condition() -> AbstractContextManager[Any]:
    """The last projector wins."""

    def write(self: Any, generation: int, keys: Any, over: Any) -> None:
        document = {"keys": [key.members() for key in keys], "generation": generation}
        self._s3.put_object(
            Bucket=self._bucket,
            Key=well_known.JWKS,
            Body=well_known._body(document),
            ContentType="application/jwk-set+json",
            CacheControl=self._cache_control,
            Metadata={well_known._GENERATION: str(generation)},
        )

    return patch.object(WellKnown, "write", write)


def the_jwks_body_lacks_its_generation() -> AbstractContextManager[Any]:
    """An ETag of the same keys is taken for the same generation."""
    real = WellKnown._put

    def put(self: Any, name: str, document: Any, generation: int, etag: Any) -> None:
        kept = {name: value for name, value in document.items() if name != "generation"}
        real(self, name, kept, generation, etag)

    return patch.object(WellKnown, "_put", put)


def published_before_it_was_read_back() -> AbstractContextManager[Any]:
    """A key is taken for published when it is about to be."""

    def project(stack: Any, origin: Any) -> Any:
        def change(keyset: Any, now: datetime) -> Any:
            return transitions.publish(keyset, [key.kid for key in keyset.keys], now)

        stack.keysets.update(change, origin)
        return real(stack, origin)

    real = publish_jwks.project
    return _everywhere("project", project, publish_jwks, reconcile)


def activate_is_open_to_grace_keys() -> AbstractContextManager[Any]:
    """A repeated activate undoes a rollback."""
    grace = {**states.TABLE[State.GRACE], Event.ACTIVATE: State.ACTIVE}
    return patch.object(states, "TABLE", {**states.TABLE, State.GRACE: grace})


def an_unpublished_standby_is_activated() -> AbstractContextManager[Any]:
    """Though another key is active."""

    def activate(keyset: Any, kid: str, now: datetime, **told: Any) -> Any:
        try:
            return real(keyset, kid, now, **told)
        except transitions.TooEarly:
            rising = transitions._live(keyset, kid, Event.ACTIVATE)
            return transitions._rise(keyset, rising, Event.ACTIVATE, now, told["times"])

    real = transitions.activate
    return patch.object(activate_key, "activate", activate)


def keys_are_disabled_without_a_second_look() -> AbstractContextManager[Any]:
    """DisableKeys trusts that RevokeKeys did its work."""

    def run(stack: Any, event: Any) -> Any:
        for key in stack.keysets.read().keyset.known:
            if key.kid in event.kids:
                stack.kms.disable(key.kms_key_arn)
        return {"outcome": "disabled"}

    return _step(disable_keys, EmergencyInput, run)


def a_key_is_created_before_one_is_revoked() -> AbstractContextManager[Any]:
    """The revocation waits for KMS."""

    def run(stack: Any, event: Any) -> Any:
        create_key.ensure_standby(stack, event.origin)
        return real(stack, event)

    real = revoke_keys.run
    return _step(revoke_keys, EmergencyInput, run)


def active_is_a_target() -> AbstractContextManager[Any]:
    """Who is meant is looked up when the step runs, so that a retry means another."""

    def run(stack: Any, event: Any) -> Any:
        active = stack.keysets.read().keyset.active
        kids = (active.kid,) if active else ()
        return real(stack, event.model_copy(update={"kids": kids}))

    real = revoke_keys.run
    return _step(revoke_keys, EmergencyInput, run)


def authorizers_are_flushed_at_once() -> AbstractContextManager[Any]:
    """A container with an older view fills the cache again."""

    def run(stack: Any, event: Any) -> Any:
        return {**real(stack, event), "seconds_until_flush": 0}

    real = plan_rotation.run
    return _step(plan_rotation, plan_rotation.PlanInput, run)


def a_reader_goes_back() -> AbstractContextManager[Any]:
    """A view believes whatever SSM answers."""

    def refresh(self: Any) -> bool:
        sent = self._tried = self._now()
        self._held = self._reader.read()
        self._read = sent
        return True

    return patch.object(KeysetView, "_refresh", refresh)


def a_view_never_grows_too_old() -> AbstractContextManager[Any]:
    """Without SSM the authorizer goes on for ever."""

    def current(self: Any) -> Any:
        if self._older_than(self._ttl, self._read) and self._may_try():
            self._refresh()
        return self._generation()

    return patch.object(KeysetView, "current", current)


def the_issuer_goes_on_with_an_older_view() -> AbstractContextManager[Any]:
    """As long as an authorizer may."""
    return patch.object(KeysetView, "for_signing", KeysetView.current)


def ages_count_from_the_answer() -> AbstractContextManager[Any]:
    """A view is as young as its reply, not as its request."""

    def refresh(self: Any) -> bool:
        done = real(self)
        if done:
            self._read = self._tried = self._now()
        return done

    real = KeysetView._refresh
    return patch.object(keyset_view.KeysetView, "_refresh", refresh)


def the_loser_of_a_race_deletes_its_key() -> AbstractContextManager[Any]:
    """Which a retry may have just registered."""

    def ensure(stack: Any, origin: Any) -> Any:
        made: list[str] = []
        create = stack.kms.create
        with patch.object(stack.kms, "create", lambda op: _noted(made, create(op))):
            outcome = real(stack, origin)
        for arn in made:
            if outcome["outcome"] == "exists":
                stack.kms.destroy(arn, window=7)
        return outcome

    real = create_key.ensure_standby
    return _everywhere("ensure_standby", ensure, create_key, reconcile)


def the_sweep_ignores_the_jwks() -> AbstractContextManager[Any]:
    """What verifiers still trust is destroyed when the keyset was lost."""

    def sweep(stack: Any, origin: Any) -> Any:
        blind = replace(stack.well_known.read(), keys={})
        with patch.object(stack.well_known, "read", lambda: blind):
            return real(stack, origin)

    sweep.__name__ = "sweep_orphans"
    real = reconcile.sweep_orphans
    return patch.object(reconcile, "sweep_orphans", sweep)


def the_sweep_takes_young_keys() -> AbstractContextManager[Any]:
    """A key that is just being registered looks like an orphan."""

    def sweep(stack: Any, origin: Any) -> Any:
        with patch.object(stack, "ages", replace(stack.ages, orphan=timedelta(0))):
            return real(stack, origin)

    sweep.__name__ = "sweep_orphans"
    real = reconcile.sweep_orphans
    return patch.object(reconcile, "sweep_orphans", sweep)


def _noted(made: list[str], key: Any) -> Any:
    made.append(key.arn)
    return key


def _step(module: Any, input_type: Any, run: Any) -> AbstractContextManager[Any]:
    return patch.object(module, "handler", task(input_type, run))


@contextmanager
def _everywhere(name: str, value: Any, *modules: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch.object(module, name, value))
        yield


MUTANTS: tuple[Mutant, ...] = (
    a_generation_is_overwritten,
    the_wait_equals_the_ttl,
    the_publication_wait_lacks_omega,
    the_publication_wait_lacks_the_views,
    grace_is_the_token_lifetime,
    grace_lacks_c_and_tau,
    a_new_lifetime_applies_to_keys_in_use,
    an_equal_jwks_is_not_written,
    the_jwks_is_written_without_a_condition,
    the_jwks_body_lacks_its_generation,
    published_before_it_was_read_back,
    activate_is_open_to_grace_keys,
    an_unpublished_standby_is_activated,
    keys_are_disabled_without_a_second_look,
    a_key_is_created_before_one_is_revoked,
    active_is_a_target,
    authorizers_are_flushed_at_once,
    a_reader_goes_back,
    a_view_never_grows_too_old,
    the_issuer_goes_on_with_an_older_view,
    ages_count_from_the_answer,
    the_loser_of_a_race_deletes_its_key,
    the_sweep_ignores_the_jwks,
    the_sweep_takes_young_keys,
)
