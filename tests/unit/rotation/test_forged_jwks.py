"""PublishJwks meets a JWKS that it did not write: forged, or of a lost generation."""

import json
from dataclasses import replace
from functools import partial

import pytest

from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset import document
from keyturn.rotation import publish_jwks
from keyturn.rotation.publish_jwks import JwksAhead
from tests.unit.changes import revoke_keys
from tests.unit.rotation.stage import planned, stored_jwks
from tests.unit.stage import invoke, standby_kid


def stored_text(cloud):
    """The JWKS's text and metadata."""
    return cloud.snapshot()["objects"][JWKS][:2]


def forge(cloud, generation=None, **changes):
    """Write a JWKS as an attacker can who has `s3:PutObject` and nothing else."""
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
    """Copied metadata proves nothing: the JWKS is rewritten byte for byte, and the log says so."""
    before = stored_text(cloud)
    forge(cloud, **changes)
    assert stored_text(cloud) != before
    invoke(publish_jwks, planned(cloud))
    assert stored_text(cloud) == before
    assert "jwks_tampered" in printed()


def test_a_jwks_from_the_future_is_replaced(booted, cloud, clock):
    """It is replaced once SSM has had ε to show that generation, and the history has no record of it."""
    before, slept = stored_text(cloud), sum(clock.slept)
    forge(cloud, generation=999, keys=[])
    invoke(publish_jwks, planned(cloud))
    assert stored_text(cloud) == before
    assert sum(clock.slept) - slept >= booted.times.clock_skew


def test_a_jwks_whose_generation_was_deleted_is_not_replaced(booted, cloud):
    """It may show a revocation that SSM no longer shows: the step fails rather than go back."""
    booted.history.keep(999, document.dumps(replace(booted.keysets.read(), number=999)))
    forge(cloud, generation=999)
    problem = "generation 999, which is not in SSM: run `keyturn repair`"
    with pytest.raises(JwksAhead, match=problem):
        invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud)[0] == 999


def test_a_generation_that_is_restored_between_two_reads_is_no_forgery(booted, cloud, aws):
    """Whether it is missing, and whether the history has it, is judged by one read of SSM."""
    revoke_keys(booted, standby_kid(cloud))
    invoke(publish_jwks, planned(cloud))
    latest = booted.keysets.read()
    booted.history.keep(latest.number, latest.text)
    name = f"/keyturn/demo/keyset/{latest.number:012d}"
    cloud.ssm.delete([name])
    put = partial(cloud.ssm.put, name, latest.text)
    aws.meanwhile("ssm:GetParametersByPath", put, after=True, nth=2)
    with pytest.raises(JwksAhead):
        invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud)[0] == latest.number
    invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud)[0] == latest.number


def test_a_generation_that_ssm_shows_late_is_waited_for(booted, cloud, aws, monkeypatch):
    """A stale read makes no JWKS a forgery: nothing is written."""
    stale, read = iter([booted.keysets.read()]), booted.keysets.read
    revoke_keys(booted, standby_kid(cloud))
    invoke(publish_jwks, planned(cloud))
    before = stored_jwks(cloud)
    aws.reset()
    monkeypatch.setattr(booted.keysets, "read", lambda: next(stale, None) or read())
    invoke(publish_jwks, planned(cloud))
    assert stored_jwks(cloud) == before
    assert "s3:PutObject" not in aws.operations
