"""Mutants of what is written, and what is recorded as written: generations and the JWKS."""

from keyturn.aws.keyset import well_known
from keyturn.aws.keyset.store import KeysetStore
from keyturn.aws.keyset.well_known import WellKnown
from keyturn.keyset import transitions
from keyturn.rotation import publish_jwks, reconcile, record_changes
from tests.simulation.mutants.patching import around, instead_of


@instead_of("_put", KeysetStore)
def a_generation_is_overwritten(self, number, text):
    """PutParameter with Overwrite: the last writer wins."""
    self._writes.put_parameter(
        Name=self._name(number), Value=text, Type="String", Tier="Standard", Overwrite=True
    )


@instead_of("project", publish_jwks, reconcile)
def an_equal_jwks_is_not_written(stack, origin):
    """The same keys are taken for the same generation."""
    for _ in range(20):
        generation = stack.keysets.read()
        projection = stack.well_known.read()
        if projection is None or set(projection.keys) != {k.kid for k in generation.keyset.keys}:
            keys = publish_jwks._jwks(stack, generation.keyset, projection)
            publish_jwks._write(stack, generation, keys, projection)
            continue
        published = publish_jwks._mark_published(stack, projection, origin)
        if set(projection.keys) == {k.kid for k in published.keyset.keys}:
            return published
    raise publish_jwks.JwksBusy


@instead_of("matches", WellKnown)
def the_jwks_is_what_it_says_it_is(self, projection, generation, _keys):
    """As it was: its metadata's number and its max-age decide whether it is ours."""
    is_same = projection.generation == generation
    return is_same and projection.cache_control == self._cache_control


@instead_of("write", WellKnown)
def the_jwks_is_written_without_a_condition(self, generation, keys, _over):
    """The last projector wins."""
    document = {"keys": [key.members() for key in keys], "generation": generation}
    self._s3.put_object(
        Bucket=self._bucket,
        Key=well_known.JWKS,
        Body=well_known._body(document),
        ContentType="application/jwk-set+json",
        CacheControl=self._cache_control,
        Metadata={well_known._GENERATION: str(generation)},
    )


@around("_put", WellKnown)
def the_jwks_body_lacks_its_generation(real, self, name, document, generation, etag):
    """An ETag of the same keys is taken for the same generation."""
    body = {member: value for member, value in document.items() if member != "generation"}
    real(self, name, body, generation, etag)


@around("project", publish_jwks, reconcile)
def published_before_it_was_read_back(real, stack, origin):
    """A key is recorded as published when it is about to be."""
    stack.keysets.update(
        lambda keyset, now: transitions.publish(keyset, [key.kid for key in keyset.keys], now),
        origin,
    )
    return real(stack, origin)


@instead_of("record_changes", record_changes)
def a_generation_is_kept_before_it_is_told(stack):
    """What is in the history counts as announced."""
    chain = stack.keysets.read_generations()
    for generation in chain:
        if not stack.history.holds(generation):
            stack.history.keep(generation.number, generation.text)
            before = record_changes._keyset_before(stack, chain, generation)
            stack.event_bus.put(record_changes._build_events(generation, before))
    return []
