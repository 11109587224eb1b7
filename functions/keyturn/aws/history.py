"""Every generation, kept in S3 beyond its life in SSM: the audit trail. Each is written once."""

from typing import TYPE_CHECKING

from keyturn.aws.faults import Conflict, translated

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PREFIX = "history/"


class History:
    """`history/<generation>.json` in the stack's bucket, readable by nobody outside."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def keep(self, number: int, text: str) -> None:
        """Keep a generation's document; raises Conflict if another text stands there."""
        name = f"{_PREFIX}{number:012d}.json"
        try:
            with translated("s3:PutObject"):
                self._s3.put_object(
                    Bucket=self._bucket,
                    Key=name,
                    Body=text.encode(),
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
        except Conflict:
            with translated("s3:GetObject"):
                kept = self._s3.get_object(Bucket=self._bucket, Key=name)["Body"].read()
            if kept != text.encode():
                raise

    def highest(self) -> int:
        """The number of the last generation kept; 0 if there is none."""
        with translated("s3:ListObjectsV2"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=_PREFIX
            )
            names = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return max((int(name[len(_PREFIX) : -len(".json")]) for name in names), default=0)
