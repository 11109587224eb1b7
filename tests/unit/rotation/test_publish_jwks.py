"""PublishJwks: the JWKS equals the keyset, and only what is in it counts as published."""

import json
from dataclasses import replace

import pytest

from keyturn.aws.faults import AwsFault, Throttled
from keyturn.aws.keyset.well_known import AUTHORIZATION_SERVER, JWKS, OPENID_PROVIDER
from keyturn.keyset import document
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import retire, revoke
from keyturn.rotation import create_key, publish_jwks
from keyturn.rotation.publish_jwks import JwksAhead, JwksBusy, project
from keyturn.tokens.jwk import NotASigningKey
from tests.unit.changes import change, revoke_keys, supersede
from tests.unit.rotation.stage import planned
from tests.unit.stage import active_key, active_kid, invoke, settle, standby_key, standby_kid, truth

BUCKET = "keyturn-demo"


@pytest.fixture
def unpublished(booted, cloud, stack):
    """A stack whose standby, a new one, is in the keyset and not yet in the JWKS."""
    revoke_keys(stack, standby_kid(cloud))
    invoke(create_key, planned(cloud, op_id="op-2"))
    return booted


def jwks(cloud):
    """The JWKS in the bucket: its generation and kids."""
    version = cloud.s3.objects[JWKS][-1]
    kids = {key["kid"] for key in json.loads(version.body)["keys"]}
    return int(version.metadata["keyturn-generation"]), kids


def test_the_jwks_shows_the_live_keys_of_its_generation(unpublished, cloud):
    """The new standby is in it, the revoked one is out, and the generation is the truth's."""
    outcome = invoke(publish_jwks, planned(cloud))
    generation = unpublished.keysets.read()
    assert jwks(cloud) == (
        generation.number,
        {active_kid(cloud), standby_kid(cloud)},
    )
    assert (outcome["outcome"], outcome["generation"]) == ("published", generation.number)


def test_the_standby_may_sign_when_the_wait_is_over(unpublished, cloud, clock):
    """max(P, C) + ω + ε = 10 s after the publication, strictly, by any clock within ε = 1 s."""
    assert invoke(publish_jwks, planned(cloud))["may_sign_at"] == "2026-03-01T12:00:12Z"
    assert standby_key(truth(cloud)).published == clock.now()


def test_where_nobody_signs_the_standby_may_sign_at_once(founded, cloud):
    """A bootstrap has nobody to wait for."""
    invoke(create_key, planned(cloud))
    assert invoke(publish_jwks, planned(cloud))["may_sign_at"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize("after", [True, False], ids=["had its effect", "had none"])
def test_published_needs_the_jwks_in_the_bucket(unpublished, cloud, aws, after):
    """A write that failed publishes nothing, even if in truth it had its effect."""
    aws.fail("s3:PutObject", aws.error("InternalError", 500), after=after)
    with pytest.raises(AwsFault):
        invoke(publish_jwks, planned(cloud))
    assert standby_key(truth(cloud)).published is None
    assert invoke(publish_jwks, planned(cloud))["outcome"] == "published"
    assert standby_key(truth(cloud)).published


def test_published_is_noted_after_the_jwks_was_read_back(unpublished, cloud, aws):
    """At the instant of the note the JWKS in the bucket holds the key."""
    shown = []
    kid = standby_kid(cloud)
    aws.meanwhile("ssm:PutParameter", lambda: shown.append(kid in jwks(cloud)[1]))
    invoke(publish_jwks, planned(cloud))
    assert shown == [True]


def test_a_note_that_failed_is_made_by_the_next_attempt(unpublished, cloud, aws):
    """The JWKS has the key already; what is left is to say so."""
    aws.fail("ssm:PutParameter", aws.error("ThrottlingException"))
    with pytest.raises(Throttled):
        invoke(publish_jwks, planned(cloud))
    assert standby_key(truth(cloud)).published is None
    assert invoke(publish_jwks, planned(cloud))["outcome"] == "published"
    assert standby_key(truth(cloud)).published


def test_a_jwks_of_this_generation_is_not_written_again(booted, cloud, aws):
    """Projecting what is there already writes nothing at all."""
    before = cloud.snapshot()
    assert invoke(publish_jwks, planned(cloud))["outcome"] == "published"
    assert cloud.snapshot() == before
    assert "s3:PutObject" not in aws.operations


def test_the_same_keys_of_a_newer_generation_are_written(booted, cloud, stack, clock):
    """Equal content is no reason to skip: a slower writer could then put an older JWKS back."""
    clock.advance(60)
    supersede(booted, cloud)
    number, kids = jwks(cloud)
    invoke(publish_jwks, planned(cloud, kid="k" * 43))
    assert jwks(cloud) == (number + 1, kids)


@pytest.mark.parametrize("transition", [retire, revoke])
def test_an_ended_key_leaves_the_jwks(booted, cloud, stack, clock, transition):
    """Retired or revoked, it is gone with the next projection."""
    clock.advance(60)
    old = supersede(booted, cloud)
    invoke(publish_jwks, planned(cloud, kid="k" * 43))
    assert old.kid in jwks(cloud)[1]
    clock.advance(60)
    kid = old.kid if transition is retire else [old.kid]
    change(stack, transition, kid, times=booted.times, limits=booted.limits)
    invoke(publish_jwks, planned(cloud, kid="k" * 43))
    assert jwks(cloud) == (booted.keysets.read().number, {active_kid(cloud)})


def test_a_lost_race_for_the_jwks_is_run_again(unpublished, cloud, origin, aws):
    """Somebody projected between our look and our write: we look again."""
    aws.meanwhile("s3:PutObject", lambda: project(unpublished, origin))
    assert invoke(publish_jwks, planned(cloud))["outcome"] == "published"
    assert jwks(cloud) == (
        unpublished.keysets.read().number,
        {key.kid for key in truth(cloud).keys},
    )


def test_a_change_between_look_and_write_is_projected_too(unpublished, cloud, stack, aws):
    """The step ends only when the JWKS is that of the keyset it read last."""
    old = active_kid(cloud)
    aws.meanwhile(
        "s3:PutObject",
        lambda: revoke_keys(stack, old),
    )
    invoke(publish_jwks, planned(cloud))
    assert jwks(cloud) == (
        unpublished.keysets.read().number,
        {key.kid for key in truth(cloud).keys},
    )
    assert old not in jwks(cloud)[1]


def test_a_late_writer_does_not_bring_a_revoked_key_back(
    unpublished, container, cloud, stack, origin, aws
):
    """Its JWKS holds the key, and meets one of a newer generation, without it."""
    revoked = standby_kid(cloud)

    def overtake():
        revoke_keys(stack, revoked)
        project(container(), origin)

    aws.meanwhile("s3:PutObject", overtake)
    invoke(publish_jwks, planned(cloud, kid=revoked))
    assert jwks(cloud) == (unpublished.keysets.read().number, {active_kid(cloud)})


def stored_jwks(cloud):
    """The JWKS's text and metadata."""
    return cloud.snapshot()["objects"][JWKS][:2]


def forge(cloud, generation=None, **changes):
    """Put a JWKS there as somebody may who has `s3:PutObject` and nothing else."""
    version = cloud.s3.objects[JWKS][-1]
    number = str(generation or version.metadata["keyturn-generation"])
    body = json.dumps({**json.loads(version.body), **changes}).encode()
    cloud.s3.put(JWKS, replace(version, body=body, metadata={"keyturn-generation": number}))


@pytest.mark.parametrize(
    "changes",
    [
        {"keys": []},
        {"keys": [{"kty": "RSA", "kid": "forged"}]},
        {"x5u": "https://evil.example"},
        {},
    ],
    ids=["nothing", "a foreign key", "another member", "another spelling"],
)
def test_a_jwks_is_judged_by_its_content(booted, cloud, printed, changes):
    """Copied metadata makes it no more ours: it is rewritten byte for byte, and told."""
    before = stored_jwks(cloud)
    forge(cloud, **changes)
    assert stored_jwks(cloud) != before
    invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud) == before
    assert "jwks_tampered" in printed()


def test_a_jwks_from_the_future_is_replaced(booted, cloud, clock):
    """Once SSM has had ε to show that generation, and nobody has recorded it."""
    before, slept = stored_jwks(cloud), sum(clock.slept)
    forge(cloud, generation=999, keys=[])
    invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud) == before
    assert sum(clock.slept) - slept >= booted.times.clock_skew


def test_a_jwks_whose_generation_was_deleted_is_not_replaced(booted, cloud):
    """It may show a revocation that SSM no longer tells: the step fails rather than go back."""
    lost = replace(booted.keysets.read(), number=999)
    booted.history.keep(999, document.dumps(lost))
    forge(cloud, generation=999)
    with pytest.raises(
        JwksAhead, match="generation 999, which is not in SSM: run `keyturn repair`"
    ):
        invoke(publish_jwks, planned(cloud))
    assert jwks(cloud)[0] == 999


def test_a_generation_that_is_put_back_between_two_reads_is_no_forgery(booted, cloud, stack, aws):
    """Whether it is missing and whether the history has it is judged by one read of SSM."""
    revoke_keys(stack, standby_kid(cloud))
    invoke(publish_jwks, planned(cloud))
    latest = booted.keysets.read()
    booted.history.keep(latest.number, latest.text)
    name = f"/keyturn/demo/keyset/{latest.number:012d}"
    cloud.ssm.delete([name])
    aws.meanwhile(
        "ssm:GetParametersByPath",
        lambda: cloud.ssm.put(name, latest.text),
        after=True,
        nth=2,
    )
    with pytest.raises(JwksAhead):
        invoke(publish_jwks, planned(cloud))
    assert jwks(cloud)[0] == latest.number
    invoke(publish_jwks, planned(cloud))
    assert jwks(cloud)[0] == latest.number


def test_a_generation_that_ssm_shows_late_is_waited_for(booted, cloud, stack, aws, monkeypatch):
    """A read from the past makes no JWKS a forgery: nothing is written."""
    past, read = iter([booted.keysets.read()]), booted.keysets.read
    revoke_keys(stack, standby_kid(cloud))
    invoke(publish_jwks, planned(cloud))
    shown = jwks(cloud)
    aws.reset()
    monkeypatch.setattr(booted.keysets, "read", lambda: next(past, None) or read())
    invoke(publish_jwks, planned(cloud))
    assert jwks(cloud) == shown
    assert "s3:PutObject" not in aws.operations


def test_endless_conflicts_end_with_an_error(unpublished, cloud, aws):
    """Twenty lost races, and nothing is published."""
    aws.fail("s3:PutObject", aws.error("PreconditionFailed", 412), times=100)
    with pytest.raises(JwksBusy):
        invoke(publish_jwks, planned(cloud))
    assert aws.attempts.count("s3:PutObject") == 20
    assert standby_key(truth(cloud)).published is None


def test_only_unknown_keys_are_fetched_from_kms(unpublished, cloud, aws):
    """What the JWKS holds already is certified by its kid."""
    invoke(publish_jwks, planned(cloud))
    assert aws.params("kms:GetPublicKey") == [{"KeyId": standby_key(truth(cloud)).kms_key_arn}] * 2
    # once by CreateKey for the kid, once here for the JWKS


def test_a_kms_key_under_another_kid_is_not_published(unpublished, cloud):
    """A keyset that names the wrong KMS key projects nothing."""
    standby, before = standby_key(truth(cloud)), jwks(cloud)
    wrong = replace(standby, kms_key_arn=active_key(truth(cloud)).kms_key_arn)
    settle(cloud, unpublished, Keyset((active_key(truth(cloud)), wrong)))
    with pytest.raises(NotASigningKey, match=standby.kid):
        invoke(publish_jwks, planned(cloud))
    assert jwks(cloud) == before


@pytest.mark.parametrize("why", ["replaced", "gone", "activated"])
def test_another_standby_than_ours_is_overtaken(booted, cloud, stack, clock, why):
    """The standby that this run ensured is not the one that was published: plan again."""
    ours = standby_kid(cloud)
    if why == "activated":
        clock.advance(60)
        supersede(booted, cloud)
    else:
        revoke_keys(stack, ours)
    if why != "gone":
        invoke(create_key, planned(cloud, op_id="op-2"))
    assert invoke(publish_jwks, planned(cloud, kid=ours))["outcome"] == "overtaken"


def test_the_metadata_comes_with_the_jwks(founded, cloud):
    """From the first projection on."""
    invoke(create_key, planned(cloud))
    invoke(publish_jwks, planned(cloud))
    assert set(cloud.snapshot()["objects"]) == {JWKS, AUTHORIZATION_SERVER, OPENID_PROVIDER}


def test_a_new_max_age_is_told_at_once(booted, container, origin, cloud, printed):
    """The JWKS is written again although the keyset is the same, and only once; nobody tampered."""
    again = container(times=replace(booted.times, jwks_max_age=3))
    project(again, origin)
    assert cloud.s3.objects[JWKS][-1].cache_control == "public, max-age=3"
    before = cloud.snapshot()
    project(again, origin)
    assert cloud.snapshot() == before
    assert "jwks_tampered" not in printed()
