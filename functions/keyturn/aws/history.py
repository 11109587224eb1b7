"""Every generation, kept in S3 beyond its life in SSM: the audit trail. Each is written once."""

from typing import TYPE_CHECKING

from keyturn.aws.faults import Absent, Conflict, translated

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PREFIX = "history/"
_SUFFIX = ".json"


class History:
    """`history/<generation>.json` in the stack's bucket, readable by nobody outside."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def keep(self, number: int, text: str) -> None:
        """Keep a generation's document; raises Conflict if another text stands there."""
        try:
            with translated("s3:PutObject"):
                self._s3.put_object(
                    Bucket=self._bucket,
                    Key=_name(number),
                    Body=text.encode(),
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
        except Conflict:
            if self.read(number) != text:
                raise

    def read(self, number: int) -> str | None:
        """The document of a generation, if it is kept."""
        try:
            with translated("s3:GetObject"):
                found = self._s3.get_object(Bucket=self._bucket, Key=_name(number))
                return found["Body"].read().decode()
        except Absent:
            return None

    def numbers(self, since: int = 0) -> set[int]:
        """The numbers of the generations kept, from `since` on."""
        with translated("s3:ListObjectsV2"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=_PREFIX, StartAfter=_name(since - 1)
            )
            names = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {int(name[len(_PREFIX) : -len(_SUFFIX)]) for name in names}


def _name(number: int) -> str:
    return f"{_PREFIX}{max(number, 0):012d}{_SUFFIX}"
