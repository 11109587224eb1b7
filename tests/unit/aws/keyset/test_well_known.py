"""The JWKS and the metadata documents in S3: what they hold, and who may replace them."""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from keyturn.aws.clients import client
from keyturn.aws.faults import AwsFault, Conflict
from keyturn.aws.keyset.well_known import (
    AUTHORIZATION_SERVER,
    JWKS,
    OPENID_PROVIDER,
    WellKnown,
    foreign_members,
    parse_jwks,
)
from keyturn.tokens import base64url
from keyturn.tokens.jwk import PublicJwk

BUCKET = "keyturn-demo"


@pytest.fixture
def site_in_s3(stack) -> WellKnown:
    """The adapter under test."""
    return stack.well_known


@pytest.fixture
def jwks(rsa_keys):
    """Three public keys."""
    return [PublicJwk.from_rsa(key.public_key()) for key in rsa_keys[:3]]


def stored(cloud, name):
    """An object of the bucket: its JSON and everything S3 says of it."""
    version = cloud.s3.objects[name][-1]
    return json.loads(version.body), version


def put(cloud, name, body, **metadata):
    """Put anything there, as somebody with the right to write would."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    cloud.s3.write(name, text, metadata=metadata)


def test_the_jwks_is_written_with_its_generation(site_in_s3, jwks, cloud):
    """Public members only, with the media type of RFC 7517 and the time it may be cached."""
    site_in_s3.write(7, jwks[:2], None)
    document, told = stored(cloud, JWKS)
    assert document == {"keys": [key.members() for key in jwks[:2]], "generation": 7}
    assert all(
        member.keys() == {"kty", "use", "alg", "kid", "n", "e"} for member in document["keys"]
    )
    assert told.metadata == {"keyturn-generation": "7"}
    assert told.content_type == "application/jwk-set+json"
    assert told.cache_control == "public, max-age=1"


def test_what_was_written_is_read(site_in_s3, jwks):
    """The generation, and the keys by kid."""
    site_in_s3.write(7, jwks, None)
    seen = site_in_s3.read()
    assert (seen.generation, seen.keys) == (7, {key.kid: key for key in jwks})


def test_before_the_first_write_there_is_no_jwks(site_in_s3):
    """That is no fault."""
    assert site_in_s3.read() is None


def test_the_first_jwks_is_written_only_where_there_is_none(site_in_s3, jwks, cloud):
    """Whoever saw nothing does not replace what came meanwhile."""
    site_in_s3.write(8, jwks, None)
    with pytest.raises(Conflict, match="s3:PutObject"):
        site_in_s3.write(7, jwks[:1], None)
    document, told = stored(cloud, JWKS)
    assert (len(document["keys"]), told.metadata) == (3, {"keyturn-generation": "8"})


def test_a_jwks_is_replaced_only_where_it_is_the_one_that_was_seen(site_in_s3, jwks, cloud):
    """A late writer of an older generation meets a newer JWKS, and leaves it."""
    site_in_s3.write(5, jwks[:1], None)
    seen = site_in_s3.read()
    site_in_s3.write(7, jwks, seen)
    with pytest.raises(Conflict):
        site_in_s3.write(6, jwks[:2], seen)
    document, told = stored(cloud, JWKS)
    assert (len(document["keys"]), told.metadata) == (3, {"keyturn-generation": "7"})


def test_writing_over_a_deleted_jwks_is_refused(site_in_s3, jwks, cloud):
    """What was seen is gone: nothing may be concluded."""
    site_in_s3.write(5, jwks[:1], None)
    seen = site_in_s3.read()
    cloud.s3.delete(JWKS)
    with pytest.raises(AwsFault):
        site_in_s3.write(6, jwks, seen)
    assert site_in_s3.read() is None


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
def test_both_refusals_of_s3_are_conflicts(site_in_s3, jwks, aws, code):
    """409 and 412 both mean: read again."""
    aws.fail("s3:PutObject", aws.error(code, 409))
    with pytest.raises(Conflict):
        site_in_s3.write(5, jwks, None)


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "InternalError"])
def test_a_jwks_that_cannot_be_read_is_not_absent(site_in_s3, aws, code):
    """Only a missing object is None; anything else is raised."""
    aws.fail("s3:GetObject", aws.error(code, 403), times=9)
    with pytest.raises(AwsFault, match=code):
        site_in_s3.read()


@pytest.mark.parametrize("metadata", [{}, {"keyturn-generation": "x"}])
def test_a_jwks_without_a_generation_is_nobodys(site_in_s3, cloud, metadata):
    """An object that we did not write is behind every generation of ours, and is replaced."""
    put(cloud, JWKS, {"keys": []}, **metadata)
    seen = site_in_s3.read()
    assert seen.generation == 0
    assert not site_in_s3.matches(seen, 0, [])
    site_in_s3.write(1, [], seen)
    assert site_in_s3.read().generation == 1


def test_a_late_writer_meets_another_etag_though_the_keys_are_the_same(site_in_s3, jwks):
    """An ETag is of the body: keys that come back later must not look like the earlier JWKS."""
    site_in_s3.write(3, jwks[:1], None)
    late = site_in_s3.read()
    site_in_s3.write(5, jwks[:2], late)
    site_in_s3.write(6, jwks[:1], site_in_s3.read())
    with pytest.raises(Conflict):
        site_in_s3.write(4, jwks[:2], late)
    assert site_in_s3.read().generation == 6


def test_a_member_under_another_kid_is_left_out(site_in_s3, jwks, cloud):
    """A kid certifies the numbers beside it, or counts for nothing."""
    false = {**jwks[0].members(), "kid": jwks[1].kid}
    put(cloud, JWKS, {"keys": [false, jwks[2].members()]}, **{"keyturn-generation": "7"})
    assert site_in_s3.read().keys == {jwks[2].kid: jwks[2]}


def test_a_private_member_gets_no_further(site_in_s3, jwks, cloud):
    """Whatever stands in the JWKS, only public numbers are taken over into the next one."""
    put(cloud, JWKS, {"keys": [{**jwks[0].members(), "d": "AQAB"}]}, **{"keyturn-generation": "7"})
    seen = site_in_s3.read()
    site_in_s3.write(8, seen.keys.values(), seen)
    assert stored(cloud, JWKS)[0]["keys"] == [jwks[0].members()]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"keys":null}', b'{"keys":[{"kty":"EC"}]}', b'{"keys":[7]}'],
)
def test_what_is_no_jwks_has_no_keys(body):
    """Anything else on the web is read as an empty JWKS, without an error."""
    assert parse_jwks(body) == {}


@pytest.mark.parametrize(
    ("members", "foreign"),
    [
        ([], []),
        ([{"kty": "RSA", "kid": "forged"}], ["forged"]),
        ([7, {"kid": 7}], ["keys[1]", "keys[2]"]),
        (["own"], ["own"]),
        (["own with a private member"], ["own"]),
        (["another"], ["another"]),
    ],
)
def test_every_foreign_member_is_named(jwks, members, foreign):
    """By its kid or its place: also a second spelling of our own key, and a good key of another kid."""
    own, another = jwks[0].members(), jwks[1].members()
    known = {"own": own, "own with a private member": {**own, "d": "AQAB"}, "another": another}
    members = [known.get(one, one) if isinstance(one, str) else one for one in members]
    body = json.dumps({"generation": 1, "keys": [own, *members]}).encode()
    kids = {"own": own["kid"], "another": another["kid"]}
    assert foreign_members(body, 1, [own["kid"]]) == [kids.get(name, name) for name in foreign]


@pytest.mark.parametrize(
    ("body", "foreign"),
    [
        (b"<html>", ["the document"]),
        (b"[]", ["the document"]),
        (b"{}", ["the document"]),
        (b'{"keys":7}', ["keys"]),
        (b'{"keys":[],"x":1,"generation":2}', ["x"]),
        (b'{"keys":[],"generation":"2"}', ["generation"]),
        (b'{"keys":[]}', ["generation"]),
    ],
)
def test_a_foreign_document_is_named_as_a_whole(body, foreign):
    """And so is a member beside the keys, also a generation that is not the document's."""
    assert foreign_members(body, 2, []) == foreign


def test_a_key_of_another_size_has_no_place_in_a_jwks(large_rsa_key, jwks):
    """It is left out, even under its own thumbprint."""
    numbers = large_rsa_key.public_key().public_numbers()
    n = numbers.n.to_bytes(384, "big")
    large = PublicJwk(n=base64url.encode(n), e="AQAB")
    body = json.dumps({"keys": [jwks[0].members(), large.members()]}).encode()
    assert parse_jwks(body) == {jwks[0].kid: jwks[0]}


_SERVER = {
    "token_endpoint": "https://api.example/v1/token",
    "grant_types_supported": ["client_credentials"],
    "response_types_supported": ["token"],
    "token_endpoint_auth_methods_supported": [
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"
    ],
}


def test_the_metadata_leads_to_keys_and_tokens(site_in_s3, cloud, site):
    """RFC 8414 for clients; OpenID Connect Discovery for verifiers, with all members it requires."""
    site_in_s3.write_metadata()
    document, told = stored(cloud, AUTHORIZATION_SERVER)
    server = {"issuer": site.url, "jwks_uri": f"{site.url}/.well-known/jwks.json", **_SERVER}
    assert document == server
    assert (told.content_type, told.cache_control) == ("application/json", "public, max-age=1")
    document, told = stored(cloud, OPENID_PROVIDER)
    assert document == {
        **server,
        "authorization_endpoint": f"{site.url}/authorization-endpoint-not-supported",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    assert (told.content_type, told.cache_control) == ("application/json", "public, max-age=1")


def test_metadata_is_written_when_it_differs(site_in_s3, aws, container, cloud):
    """Once for good, and again when the issuer has changed."""
    site_in_s3.write_metadata()
    site_in_s3.write_metadata()
    assert aws.operations.count("s3:PutObject") == 2
    container(issuer="https://new.example").well_known.write_metadata()
    for name in (AUTHORIZATION_SERVER, OPENID_PROVIDER):
        assert stored(cloud, name)[0]["jwks_uri"] == "https://new.example/.well-known/jwks.json"


@pytest.mark.parametrize("name", [AUTHORIZATION_SERVER, OPENID_PROVIDER])
def test_metadata_that_was_changed_by_hand_is_put_right(site_in_s3, cloud, name):
    """It would lead clients, or verifiers, somewhere else."""
    site_in_s3.write_metadata()
    document, _ = stored(cloud, name)
    put(cloud, name, {**document, "token_endpoint": "https://thief.example"})
    site_in_s3.write_metadata()
    assert stored(cloud, name)[0] == document


def test_emptying_the_bucket_leaves_nothing(site_in_s3, stack, jwks, cloud):
    """JWKS, discovery and history go with the stack."""
    site_in_s3.write(7, jwks, None)
    site_in_s3.write_metadata()
    stack.history.keep(1, "{}")
    assert len(cloud.snapshot()["objects"]) == 4
    site_in_s3.empty_bucket()
    assert cloud.snapshot()["objects"] == {}


def test_versions_and_delete_markers_go_too(region):
    """Of every page: a bucket that was versioned could not be deleted otherwise."""
    s3 = client("s3")
    one = {"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}
    pages: list[dict[str, Any]] = [
        {"Versions": [*one], "IsTruncated": True, "NextKeyMarker": "a", "NextVersionIdMarker": "2"},
        {
            "Versions": [{"Key": "b", "VersionId": "null"}],
            "DeleteMarkers": [{"Key": "c", "VersionId": "3"}],
        },
    ]
    listed = {"Bucket": BUCKET}
    with Stubber(s3) as stub:
        stub.add_response("list_object_versions", pages[0], listed)
        stub.add_response(
            "list_object_versions", pages[1], {**listed, "KeyMarker": "a", "VersionIdMarker": "2"}
        )
        for name, version in (("a", "1"), ("a", "2"), ("b", "null"), ("c", "3")):
            stub.add_response("delete_object", {}, {**listed, "Key": name, "VersionId": version})
        WellKnown(s3, BUCKET, issuer="i", token_url="t", max_age=1).empty_bucket()
        stub.assert_no_pending_responses()
