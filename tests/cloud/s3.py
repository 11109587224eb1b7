"""One S3 bucket: strongly consistent, with conditional writes and ETags of the body alone.

Source: Amazon S3 User Guide, "How to prevent object overwrites with conditional writes".
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.cloud.errors import refused
from tests.cloud.wire import Call, Listing, Wire


@dataclass(frozen=True, slots=True)
class Version:
    """An object as it was written."""

    since: float
    body: bytes
    metadata: dict[str, str] = field(default_factory=dict)
    cache_control: str = ""
    content_type: str = "binary/octet-stream"  # S3's default

    @property
    def etag(self) -> str:
        """`If-Match` is compared with it."""
        return f'"{hashlib.md5(self.body).hexdigest()}"'


class S3:
    """Every version of every object; `watch(name, version)` is called at each write."""

    def __init__(self, wire: Wire, epoch: datetime) -> None:
        self._wire, self._epoch = wire, epoch
        self.objects: dict[str, list[Version]] = {}
        self.watch = lambda name, version: None

    def version(self, name: str, at: float) -> Version | None:
        """The object as of that instant, which an old cache shows."""
        return next((v for v in reversed(self.objects.get(name, ())) if v.since <= at), None)

    def put(self, name: str, version: Version) -> None:
        """Write now, whatever is there."""
        self.objects.setdefault(name, []).append(version)
        self.watch(name, version)

    def write(self, name: str, body: bytes, **headers: Any) -> None:
        """Write a body now, as anyone with the permission could."""
        self.put(name, Version(self._wire.now(), body, **headers))

    def delete(self, name: str) -> None:
        """Delete the object."""
        self.objects.pop(name, None)

    def body(self, name: str) -> bytes:
        """The object's content now; raises KeyError if it is missing."""
        return self.objects[name][-1].body

    def written(self, name: str) -> datetime:
        """When the object was last written."""
        return self._epoch + timedelta(seconds=self.objects[name][-1].since)


class S3Client:
    """boto3's s3, as far as the product calls it."""

    def __init__(self, s3: S3, wire: Wire) -> None:
        self._s3, self._wire = s3, wire

    def get_object(self, Bucket, Key):  # noqa: N803
        """GetObject."""

        def effect(_at: float) -> dict[str, Any]:
            version = self._s3.version(Key, self._wire.now())
            if version is None:
                raise refused("NoSuchKey", 404)
            return {
                "Body": io.BytesIO(version.body),
                "ETag": version.etag,
                "Metadata": version.metadata,
                "CacheControl": version.cache_control,
                "ContentType": version.content_type,
            }

        return self._call("GetObject", effect, Key=Key)

    def put_object(
        self,
        Bucket,  # noqa: N803
        Key,  # noqa: N803
        Body,  # noqa: N803
        ContentType,  # noqa: N803
        CacheControl="",  # noqa: N803
        Metadata=None,  # noqa: N803
        IfMatch=None,  # noqa: N803
        IfNoneMatch=None,  # noqa: N803
    ):
        """PutObject, with its condition."""

        def effect(_at: float) -> dict[str, Any]:
            existing = self._s3.version(Key, self._wire.now())
            if IfMatch is not None and existing is None:
                raise refused("NoSuchKey", 404)
            if IfMatch is not None and existing and existing.etag != IfMatch:
                raise refused("PreconditionFailed", 412)
            if IfNoneMatch is not None and existing:
                raise refused("PreconditionFailed", 412)
            metadata = dict(Metadata or {})
            version = Version(self._wire.now(), Body, metadata, CacheControl, ContentType)
            self._s3.put(Key, version)
            return {"ETag": version.etag}

        return self._call("PutObject", effect, Key=Key, IfMatch=IfMatch, IfNoneMatch=IfNoneMatch)

    def delete_object(self, Bucket, Key, VersionId="null"):  # noqa: N803
        """DeleteObject of a bucket that is not versioned: its only version is `null`."""
        assert VersionId == "null"
        return self._call("DeleteObject", lambda _at: self._s3.delete(Key), Key=Key)

    def get_paginator(self, name: str) -> Listing:
        """The two listings that the product requests."""
        return Listing(
            {"list_objects_v2": self._pages, "list_object_versions": self._versions}[name]
        )

    def _pages(self, Bucket, Prefix="", StartAfter="") -> Iterator[dict[str, Any]]:  # noqa: N803
        def effect(_at: float) -> dict[str, Any]:
            names = sorted(
                name for name in self._s3.objects if name.startswith(Prefix) and name > StartAfter
            )
            return {"Contents": [self._entry(name) for name in names]} if names else {}

        yield self._call("ListObjectsV2", effect, Prefix=Prefix, StartAfter=StartAfter)

    def _versions(self, Bucket, Prefix="") -> Iterator[dict[str, Any]]:  # noqa: N803
        def effect(_at: float) -> dict[str, Any]:
            names = sorted(name for name in self._s3.objects if name.startswith(Prefix))
            versions = [{"Key": name, "VersionId": "null"} for name in names]
            return {"Versions": versions} if versions else {}

        yield self._call("ListObjectVersions", effect, Prefix=Prefix)

    def _entry(self, name: str) -> dict[str, Any]:
        return {"Key": name, "LastModified": self._s3.written(name)}

    def _call(self, name, effect, **arguments):
        return self._wire.carry(Call(f"s3:{name}", effect, retries=True, arguments=arguments))
