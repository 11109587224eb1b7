"""Mutants of what is written, and of what is noted: generations and the JWKS."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from keyturn.aws.keyset import well_known
from keyturn.aws.keyset.store import KeysetStore
from keyturn.aws.keyset.well_known import WellKnown
from keyturn.keyset import transitions
from keyturn.rotation import publish_jwks, reconcile, record_changes
from tests.simulation.mutants.patching import everywhere


def a_generation_is_overwritten() -> AbstractContextManager[Any]:
    """PutParameter with Overwrite: the last writer wins."""

    def put(self: Any, number: int, text: str) -> None:
        self._writes.put_parameter(
            Name=self._name(number), Value=text, Type="String", Tier="Standard", Overwrite=True
        )

    return patch.object(KeysetStore, "_put", put)


def an_equal_jwks_is_not_written() -> AbstractContextManager[Any]:
    """The same keys are taken for the same generation."""

    def project(stack: Any, origin: Any) -> Any:
        for _ in range(20):
            generation = stack.keysets.read()
            seen = stack.well_known.read()
            if seen is None or set(seen.keys) != {k.kid for k in generation.keyset.keys}:
                keys = publish_jwks._jwks(stack, generation.keyset, seen)
                publish_jwks._write(stack, generation, keys, seen)
                continue
            noted = publish_jwks._mark_published(stack, seen, origin)
            if set(seen.keys) == {k.kid for k in noted.keyset.keys}:
                return noted
        raise publish_jwks.JwksBusy

    return everywhere("project", project, publish_jwks, reconcile)


def the_jwks_is_what_it_says_it_is() -> AbstractContextManager[Any]:
    """As it was: its metadata's number and its max-age decide whether it is ours."""

    def matches(self: Any, projection: Any, generation: int, _keys: Any) -> bool:
        same = projection.generation == generation
        return same and projection.cache_control == self._cache_control

    return patch.object(WellKnown, "matches", matches)


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
    return everywhere("project", project, publish_jwks, reconcile)


def a_generation_is_kept_before_it_is_told() -> AbstractContextManager[Any]:
    """What is kept counts as told."""

    def record(stack: Any) -> Any:
        chain = stack.keysets.read_generations()
        for generation in chain:
            if not stack.history.holds(generation):
                stack.history.keep(generation.number, generation.text)
                before = record_changes._keyset_before(stack, chain, generation)
                stack.event_bus.put(record_changes._build_events(generation, before))
        return []

    return patch.object(record_changes, "record_changes", record)
