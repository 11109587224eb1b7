"""The JWKS and the metadata documents in S3: their content, and which write may replace them."""

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
def well_known(stack) -> WellKnown:
    """The adapter under test."""
    return stack.well_known


@pytest.fixture
def jwks(rsa_keys):
    """Three public keys."""
    return [PublicJwk.from_rsa(key.public_key()) for key in rsa_keys[:3]]


def stored(cloud, name=JWKS):
    """An object of the bucket: its JSON, and the object itself."""
    version = cloud.s3.objects[name][-1]
    return json.loads(version.body), version


def put_jwks(cloud, *members, metadata):
    """Put a JWKS with these members, as anyone with write access could."""
    cloud.s3.write(JWKS, json.dumps({"keys": members}).encode(), metadata=metadata)


def test_the_jwks_is_written_with_its_generation(well_known, jwks, cloud):
    """It has public members only, the media type of RFC 7517, and the time it may be cached."""
    well_known.write(7, jwks, None)
    document, version = stored(cloud)
    assert document == {"keys": [key.members() for key in jwks], "generation": 7}
    for member in document["keys"]:
        assert member.keys() == {"kty", "use", "alg", "kid", "n", "e"}
    assert version.metadata == {"keyturn-generation": "7"}
    assert version.content_type == "application/jwk-set+json"
    assert version.cache_control == "public, max-age=1"
    projection = well_known.read()
    assert (projection.generation, projection.keys) == (7, {key.kid: key for key in jwks})


def test_before_the_first_write_there_is_no_jwks(well_known):
    """That is no fault."""
    assert well_known.read() is None


def test_a_write_replaces_only_the_jwks_that_was_read(well_known, jwks):
    """A late writer of an older generation gets a conflict, and changes nothing."""
    well_known.write(5, jwks[:1], None)
    earlier = well_known.read()
    well_known.write(7, jwks, earlier)
    for replaced in (None, earlier):
        with pytest.raises(Conflict, match="s3:PutObject"):
            well_known.write(6, jwks[:2], replaced)
    projection = well_known.read()
    assert (projection.generation, len(projection.keys)) == (7, 3)


def test_the_same_keys_of_a_later_generation_are_another_jwks(well_known, jwks):
    """An ETag is of the body alone, so the body has the generation."""
    well_known.write(3, jwks[:1], None)
    earlier = well_known.read()
    well_known.write(5, jwks[:2], earlier)
    well_known.write(6, jwks[:1], well_known.read())
    with pytest.raises(Conflict):
        well_known.write(4, jwks[:2], earlier)
    assert well_known.read().generation == 6


def test_a_deleted_jwks_is_not_replaced(well_known, jwks, cloud):
    """Nothing can be concluded from its absence."""
    well_known.write(5, jwks[:1], None)
    earlier = well_known.read()
    cloud.s3.delete(JWKS)
    with pytest.raises(AwsFault):
        well_known.write(6, jwks, earlier)
    assert well_known.read() is None


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "InternalError"])
def test_a_jwks_that_cannot_be_read_is_a_fault(well_known, aws, code):
    """Only a missing object counts as absent."""
    aws.fail("s3:GetObject", aws.error(code, 403), times=9)
    with pytest.raises(AwsFault, match=code):
        well_known.read()


@pytest.mark.parametrize("number", [None, "x", "9" * 13, "-1", "1_0", ""])
def test_a_jwks_without_a_valid_generation_is_outdated(well_known, cloud, number):
    """Keyturn did not write it, so any generation replaces it."""
    put_jwks(cloud, metadata={} if number is None else {"keyturn-generation": number})
    projection = well_known.read()
    assert projection.generation == 0
    assert not well_known.matches(projection, 0, [])
    well_known.write(1, [], projection)
    assert well_known.read().generation == 1


def test_only_certified_public_members_are_read(well_known, jwks, cloud):
    """A key under another kid is ignored, and a private member never reaches the next JWKS."""
    misnamed = {**jwks[0].members(), "kid": jwks[1].kid}
    private = {**jwks[2].members(), "d": "AQAB"}
    put_jwks(cloud, misnamed, private, metadata={"keyturn-generation": "7"})
    projection = well_known.read()
    assert projection.keys == {jwks[2].kid: jwks[2]}
    well_known.write(8, projection.keys.values(), projection)
    assert stored(cloud)[0]["keys"] == [jwks[2].members()]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"keys":null}', b'{"keys":[{"kty":"EC"}]}', b'{"keys":[7]}'],
)
def test_any_other_document_has_no_keys(body):
    """It is read as an empty JWKS."""
    assert parse_jwks(body) == {}


def test_a_key_of_another_size_is_ignored(large_rsa_key, jwks):
    """This holds even under its own thumbprint."""
    numbers = large_rsa_key.public_key().public_numbers()
    large = PublicJwk(n=base64url.encode(numbers.n.to_bytes(384, "big")), e="AQAB")
    body = json.dumps({"keys": [jwks[0].members(), large.members()]}).encode()
    assert parse_jwks(body) == {jwks[0].kid: jwks[0]}


def test_every_foreign_member_is_named(jwks):
    """It is named by its kid or its position: also a duplicate or a variant of an own key."""
    own, other = jwks[0].members(), jwks[1].members()
    for members, names in (
        ([], []),
        ([{"kty": "RSA", "kid": "forged"}], ["forged"]),
        ([7, {"kid": 7}], ["keys[1]", "keys[2]"]),
        ([own], [own["kid"]]),
        ([{**own, "d": "AQAB"}], [own["kid"]]),
        ([other], [other["kid"]]),
    ):
        body = json.dumps({"generation": 1, "keys": [own, *members]}).encode()
        assert foreign_members(body, 1, [own["kid"]]) == names


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"<html>", "the document"),
        (b"[]", "the document"),
        (b"{}", "the document"),
        (b'{"keys":7}', "keys"),
        (b'{"keys":[],"x":1,"generation":2}', "x"),
        (b'{"keys":[],"generation":"2"}', "generation"),
        (b'{"keys":[]}', "generation"),
    ],
)
def test_a_foreign_document_is_named_as_a_whole(body, name):
    """A member beside the keys is named by itself, like a wrong generation."""
    assert foreign_members(body, 2, []) == [name]


def test_the_metadata_documents_are_complete(well_known, cloud, site):
    """RFC 8414 is for clients; OpenID Connect Discovery, with all required members, for verifiers."""
    well_known.write_metadata()
    server = {
        "issuer": site.url,
        "jwks_uri": f"{site.url}/.well-known/jwks.json",
        "token_endpoint": "https://api.example/v1/token",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "token_endpoint_auth_methods_supported": [
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"
        ],
    }
    provider = {
        **server,
        "authorization_endpoint": f"{site.url}/authorization-endpoint-not-supported",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    for name, expected in ((AUTHORIZATION_SERVER, server), (OPENID_PROVIDER, provider)):
        document, version = stored(cloud, name)
        assert document == expected
        assert version.content_type == "application/json"
        assert version.cache_control == "public, max-age=1"


def test_the_metadata_is_written_only_if_it_differs(well_known, aws, container, cloud):
    """It differs if the issuer or a document has changed."""
    well_known.write_metadata()
    well_known.write_metadata()
    assert aws.operations.count("s3:PutObject") == 2
    expected, _ = stored(cloud, OPENID_PROVIDER)
    forged = json.dumps({**expected, "token_endpoint": "https://thief.example"}).encode()
    cloud.s3.write(OPENID_PROVIDER, forged)
    well_known.write_metadata()
    assert stored(cloud, OPENID_PROVIDER)[0] == expected
    assert aws.operations.count("s3:PutObject") == 3
    container(issuer="https://new.example").well_known.write_metadata()
    for name in (AUTHORIZATION_SERVER, OPENID_PROVIDER):
        assert stored(cloud, name)[0]["jwks_uri"] == "https://new.example/.well-known/jwks.json"


def test_the_bucket_is_emptied_of_every_version_and_delete_marker(region):
    """CloudFormation could not delete the bucket otherwise; there may be several pages."""
    s3 = client("s3")
    listed = {"Bucket": BUCKET}
    marker = {"KeyMarker": "a", "VersionIdMarker": "2"}
    pages: list[dict[str, Any]] = [
        {
            "Versions": [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}],
            "IsTruncated": True,
            "NextKeyMarker": "a",
            "NextVersionIdMarker": "2",
        },
        {
            "Versions": [{"Key": "b", "VersionId": "null"}],
            "DeleteMarkers": [{"Key": "c", "VersionId": "3"}],
        },
    ]
    with Stubber(s3) as stub:
        stub.add_response("list_object_versions", pages[0], listed)
        stub.add_response("list_object_versions", pages[1], {**listed, **marker})
        for name, version in (("a", "1"), ("a", "2"), ("b", "null"), ("c", "3")):
            stub.add_response("delete_object", {}, {**listed, "Key": name, "VersionId": version})
        WellKnown(s3, BUCKET, issuer="i", token_url="t", max_age=1).empty_bucket()
        stub.assert_no_pending_responses()
