"""PublishJwks: the JWKS equals the keyset, and only what is in it counts as published."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.well_known import AUTHORIZATION_SERVER, JWKS, OPENID_PROVIDER
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import retire, revoke
from keyturn.rotation import create_key, publish_jwks
from keyturn.rotation.publish_jwks import JwksBusy, project
from keyturn.tokens.jwk import NotASigningKey
from tests.unit.changes import change, revoke_keys, supersede
from tests.unit.rotation.stage import planned, stored_jwks
from tests.unit.stage import active_key, active_kid, invoke, settle, standby_key, standby_kid, truth


@pytest.fixture
def unpublished(booted, cloud):
    """A stack whose standby, a new one, is in the keyset and not yet in the JWKS."""
    revoke_keys(booted, standby_kid(cloud))
    invoke(create_key, planned(cloud, op_id="op-2"))
    return booted


def keyset(stack):
    """The keyset: its generation and the kids of its live keys."""
    generation = stack.keysets.read()
    return generation.number, {key.kid for key in generation.keyset.keys}


def test_the_jwks_shows_the_live_keys_of_its_generation(unpublished, cloud):
    """The new standby is in it, and the revoked one is not."""
    outcome = invoke(publish_jwks, planned(cloud))
    number, kids = stored_jwks(cloud)
    assert kids == {active_kid(cloud), standby_kid(cloud)}
    assert number == unpublished.keysets.read().number
    assert (outcome["outcome"], outcome["generation"]) == ("published", number)


def test_the_standby_may_sign_when_the_wait_is_over(unpublished, cloud, clock):
    """max(P, C) + ω + ε = 10 s after the publication, strictly, by any clock within ε = 1 s."""
    assert invoke(publish_jwks, planned(cloud))["may_sign_at"] == "2026-03-01T12:00:12Z"
    assert standby_key(truth(cloud)).published == clock.now()


def test_the_first_standby_may_sign_at_once(founded, cloud):
    """No verifier has a cached JWKS yet; the metadata is published with the first JWKS."""
    invoke(create_key, planned(cloud))
    assert invoke(publish_jwks, planned(cloud))["may_sign_at"] == "2026-03-01T12:00:00Z"
    assert set(cloud.snapshot()["objects"]) == {JWKS, AUTHORIZATION_SERVER, OPENID_PROVIDER}


@pytest.mark.parametrize(
    ("operation", "after"),
    [("s3:PutObject", True), ("s3:PutObject", False), ("ssm:PutParameter", False)],
)
def test_a_failed_write_publishes_nothing(unpublished, cloud, aws, operation, after):
    """If the JWKS is in the bucket nevertheless, the next attempt records the publication."""
    aws.fail(operation, aws.error("ThrottlingException"), after=after)
    with pytest.raises(AwsFault):
        invoke(publish_jwks, planned(cloud))
    assert standby_key(truth(cloud)).published is None
    assert invoke(publish_jwks, planned(cloud))["outcome"] == "published"
    assert standby_key(truth(cloud)).published


def test_the_publication_is_recorded_after_the_jwks_is_written(unpublished, cloud, aws):
    """When the keyset says `published`, the JWKS in the bucket contains the key."""
    is_shown = []
    kid = standby_kid(cloud)
    aws.meanwhile("ssm:PutParameter", lambda: is_shown.append(kid in stored_jwks(cloud)[1]))
    invoke(publish_jwks, planned(cloud))
    assert is_shown == [True]


def test_a_jwks_of_this_generation_is_not_written_again(booted, cloud, aws):
    """Publishing what is published already writes nothing at all."""
    before = cloud.snapshot()
    assert invoke(publish_jwks, planned(cloud))["outcome"] == "published"
    assert cloud.snapshot() == before
    assert "s3:PutObject" not in aws.operations


def test_the_same_keys_of_a_newer_generation_are_written(booted, cloud, clock):
    """Otherwise a slower writer could put an older JWKS back."""
    clock.advance(60)
    supersede(booted, cloud)
    number, kids = stored_jwks(cloud)
    invoke(publish_jwks, planned(cloud, kid="k" * 43))
    assert stored_jwks(cloud) == (number + 1, kids)


@pytest.mark.parametrize("transition", [retire, revoke])
def test_an_ended_key_leaves_the_jwks(booted, cloud, clock, transition):
    """A retired or revoked key is gone with the next publication."""
    clock.advance(60)
    old = supersede(booted, cloud)
    invoke(publish_jwks, planned(cloud, kid="k" * 43))
    assert old.kid in stored_jwks(cloud)[1]
    clock.advance(60)
    kid = old.kid if transition is retire else [old.kid]
    change(booted, transition, kid, times=booted.times, limits=booted.limits)
    invoke(publish_jwks, planned(cloud, kid="k" * 43))
    assert stored_jwks(cloud) == (booted.keysets.read().number, {active_kid(cloud)})


@pytest.mark.parametrize(("revokes", "publishes"), [(False, True), (True, False), (True, True)])
def test_another_writer_between_read_and_write(
    unpublished, container, cloud, origin, aws, revokes, publishes
):
    """The step ends only when the JWKS is that of the newest keyset: no revoked key comes back."""
    active = active_kid(cloud)

    def interfere():
        if revokes:
            revoke_keys(unpublished, active)
        if publishes:
            project(container(), origin)

    aws.meanwhile("s3:PutObject", interfere)
    invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud) == keyset(unpublished)
    assert (active in stored_jwks(cloud)[1]) is not revokes


def test_endless_conflicts_end_with_an_error(unpublished, cloud, aws):
    """After twenty lost races nothing is published."""
    aws.fail("s3:PutObject", aws.error("PreconditionFailed", 412), times=100)
    with pytest.raises(JwksBusy):
        invoke(publish_jwks, planned(cloud))
    assert aws.attempts.count("s3:PutObject") == 20
    assert standby_key(truth(cloud)).published is None


def test_only_new_public_keys_are_fetched_from_kms(unpublished, cloud, aws):
    """A key that the JWKS contains already is certified by its kid."""
    aws.reset()
    invoke(publish_jwks, planned(cloud))
    assert aws.params("kms:GetPublicKey") == [{"KeyId": standby_key(truth(cloud)).kms_key_arn}]


def test_a_kms_key_under_another_kid_is_not_published(unpublished, cloud):
    """A keyset that names the wrong KMS key is not published."""
    standby, before = standby_key(truth(cloud)), stored_jwks(cloud)
    wrong = replace(standby, kms_key_arn=active_key(truth(cloud)).kms_key_arn)
    settle(cloud, unpublished, Keyset((active_key(truth(cloud)), wrong)))
    with pytest.raises(NotASigningKey, match=standby.kid):
        invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud) == before


@pytest.mark.parametrize("fate", ["replaced", "gone", "activated"])
def test_another_standby_than_ours_is_overtaken(booted, cloud, clock, fate):
    """The standby that this execution ensured is not the published one, so it plans again."""
    ours = standby_kid(cloud)
    if fate == "activated":
        clock.advance(60)
        supersede(booted, cloud)
    else:
        revoke_keys(booted, ours)
    if fate != "gone":
        invoke(create_key, planned(cloud, op_id="op-2"))
    assert invoke(publish_jwks, planned(cloud, kid=ours))["outcome"] == "overtaken"


def test_a_new_max_age_is_published_at_once(booted, container, origin, cloud, printed):
    """The JWKS is rewritten, once, although the keyset is the same; that is no tampering."""
    updated = container(times=replace(booted.times, jwks_max_age=3))
    project(updated, origin)
    assert cloud.s3.objects[JWKS][-1].cache_control == "public, max-age=3"
    before = cloud.snapshot()
    project(updated, origin)
    assert cloud.snapshot() == before
    assert "jwks_tampered" not in printed()
