"""What the JWKS and the history rely on in S3 (keyturn.aws.keyset.well_known, keyturn.aws.keyset.history).

Source: Amazon S3 User Guide, "How to prevent object overwrites with conditional writes".
"""

from functools import partial
from typing import Any

import pytest

from tests.cloud.contract.clouds import BUCKET, Cloud, refused

GONE = ("NoSuchKey", 404)
NOT_AS_EXPECTED = ("PreconditionFailed", 412)
CONFLICT = ("ConditionalRequestConflict", 409)


@pytest.fixture
def name(cloud: Cloud) -> str:
    """The name of a missing object."""
    return cloud.fresh("contract/object-")


def put(cloud: Cloud, name: str, body: bytes = b"{}", **more: Any) -> str:
    """PutObject; returns the ETag."""
    kind = "application/json"
    answer = cloud.clients.s3.put_object(
        Bucket=BUCKET, Key=name, Body=body, ContentType=kind, **more
    )
    return str(answer["ETag"])


def get(cloud: Cloud, name: str) -> Any:
    """GetObject."""
    return cloud.clients.s3.get_object(Bucket=BUCKET, Key=name)


def body(cloud: Cloud, name: str) -> bytes:
    """The object's content."""
    return bytes(get(cloud, name)["Body"].read())


def names(cloud: Cloud, prefix: str) -> list[str]:
    """ListObjectsV2, every page."""
    pages = cloud.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def test_an_object_is_read_as_it_was_written(cloud: Cloud, name: str) -> None:
    """The answer has body, ETag, metadata and Cache-Control; the last two may be empty."""
    headers = {"CacheControl": "public, max-age=300", "Metadata": {"keyturn-generation": "41"}}
    etag = put(cloud, name, b'{"keys":[]}', **headers)
    answer = get(cloud, name)
    assert answer["Body"].read() == b'{"keys":[]}'
    assert answer["ETag"] == etag
    assert {field: answer[field] for field in headers} == headers
    put(cloud, name)
    answer = get(cloud, name)
    assert (answer["Metadata"], answer.get("CacheControl", "")) == ({}, "")


def test_an_object_is_created_once(cloud: Cloud, name: str) -> None:
    """If-None-Match accepts the first write; later ones change nothing."""
    put(cloud, name, b"first", IfNoneMatch="*")
    assert refused(partial(put, cloud, name, b"second", IfNoneMatch="*")) == NOT_AS_EXPECTED
    assert body(cloud, name) == b"first"


def test_only_one_of_many_creates_it(cloud: Cloud, name: str) -> None:
    """Of eight concurrent writers one succeeds, and its body stays."""
    texts = [f"writer {number}" for number in range(8)]
    calls = [partial(put, cloud, name, text.encode(), IfNoneMatch="*") for text in texts]
    results = cloud.at_once(calls)
    [winner] = [number for number, result in enumerate(results) if isinstance(result, str)]
    refusals = {result for result in results if not isinstance(result, str)}
    assert refusals <= {NOT_AS_EXPECTED, CONFLICT}
    assert body(cloud, name) == texts[winner].encode()


def test_an_object_is_replaced_if_its_etag_matches(cloud: Cloud, name: str) -> None:
    """If-Match takes the ETag as it was read, with its quotes; another ETag changes nothing."""
    put(cloud, name, b"first")
    etag = get(cloud, name)["ETag"]
    put(cloud, name, b"second", IfMatch=etag)
    assert body(cloud, name) == b"second"
    assert refused(partial(put, cloud, name, b"third", IfMatch=etag)) == NOT_AS_EXPECTED
    assert body(cloud, name) == b"second"


def test_a_missing_object_is_not_replaced(cloud: Cloud, name: str) -> None:
    """If-Match is refused like a read, and nothing is created."""
    etag = put(cloud, f"{name}-beside")
    assert refused(partial(put, cloud, name, IfMatch=etag)) == GONE
    assert refused(partial(get, cloud, name)) == GONE


def test_an_etag_is_of_the_body_alone(cloud: Cloud, name: str) -> None:
    """It does not depend on the metadata."""
    etag = put(cloud, name, b"same", Metadata={"keyturn-generation": "41"})
    assert etag.startswith('"')
    assert etag.endswith('"')
    assert put(cloud, name, b"same", Metadata={"keyturn-generation": "42"}) == etag
    assert put(cloud, name, b"other") != etag


def test_a_prefix_is_listed_in_order(cloud: Cloud, name: str) -> None:
    """Objects without the prefix are not listed; the list may be empty."""
    assert names(cloud, f"{name}/") == []
    written = [f"{name}/{number:012d}.json" for number in (3, 1, 2)]
    for one in (*written, f"beside/{name}"):
        put(cloud, one)
    assert names(cloud, f"{name}/") == sorted(written)


def test_a_listing_says_which_is_older(cloud: Cloud, name: str) -> None:
    """It has the time of each object's last write, which cannot be backdated."""
    for one in ("b", "a"):
        put(cloud, f"{name}/{one}")
    pages = cloud.clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix=f"{name}/", StartAfter=f"{name}/"
    )
    dates = [item["LastModified"] for page in pages for item in page["Contents"]]
    assert dates[1] <= dates[0]


def test_what_is_deleted_is_gone(cloud: Cloud, name: str) -> None:
    """It is neither read nor listed; deleting it again is no error."""
    put(cloud, name)
    for _ in range(2):
        cloud.clients.s3.delete_object(Bucket=BUCKET, Key=name, VersionId="null")
    assert refused(partial(get, cloud, name)) == GONE
    assert names(cloud, name) == []


def test_an_object_of_a_bucket_without_versioning_has_one_version(cloud: Cloud, name: str) -> None:
    """The version is `null`, however often the object was written."""
    for text in (b"first", b"second"):
        put(cloud, name, text)
    pages = cloud.clients.s3.get_paginator("list_object_versions").paginate(
        Bucket=BUCKET, Prefix=name
    )
    versions = [item for page in pages for item in page.get("Versions", [])]
    assert [(item["Key"], item["VersionId"]) for item in versions] == [(name, "null")]
