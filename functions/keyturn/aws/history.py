"""Every generation, kept in S3 beyond its life in SSM: the audit trail. Each is written once."""

import hashlib
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from keyturn.aws.faults import Absent, Conflict, translated
from keyturn.keyset.errors import DocumentInvalid

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PREFIX = "history/"
_GENERATION = re.compile(rf"{_PREFIX}([0-9]{{12}})\.json")


class History:
    """`history/<generation>.json` in the stack's bucket, readable by nobody outside."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def keep(self, number: int, text: str) -> None:
        """Keep a generation's document; raises Conflict if another text stands there."""
        body = text.encode()
        try:
            self._write_once(_name(number), body, "application/json")
        except Conflict:
            if self._body(number) != body:
                raise

    def keep_unlawful(self, name: str, text: str) -> None:
        """Keep what stood where it does not count."""
        with suppress(Conflict):  # this very text is kept already
            self._write_once(self.name_of(name, text), _bytes(text), "text/plain")

    def unlawful(self) -> set[str]:
        """The names of the objects that hold such texts."""
        return set(self._names(f"{_PREFIX}unlawful/"))

    @staticmethod
    def name_of(name: str, text: str) -> str:
        """The object that holds what stood under a parameter's name."""
        return f"{_PREFIX}unlawful/{name}-{hashlib.sha256(_bytes(text)).hexdigest()[:16]}.txt"

    def read(self, number: int) -> str | None:
        """The document of a generation, if it is kept; raises DocumentInvalid, AwsFault."""
        body = self._body(number)
        try:
            return None if body is None else body.decode()
        except UnicodeDecodeError:
            raise DocumentInvalid(f"{_name(number)}: not UTF-8") from None

    def numbers(self, since: int = 0) -> set[int]:
        """The numbers of the generations kept, from `since` on; other names are ignored."""
        names = self._names(_PREFIX, after=_name(since - 1))
        return {int(match[1]) for match in map(_GENERATION.fullmatch, names) if match}

    def _names(self, prefix: str, after: str = "") -> list[str]:
        with translated("s3:ListObjectsV2"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after or prefix
            )
            return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _body(self, number: int) -> bytes | None:
        try:
            with translated("s3:GetObject"):
                answer = self._s3.get_object(Bucket=self._bucket, Key=_name(number))
                return answer["Body"].read()
        except Absent:
            return None

    def _write_once(self, name: str, body: bytes, kind: str) -> None:
        with translated("s3:PutObject"):
            self._s3.put_object(
                Bucket=self._bucket, Key=name, Body=body, ContentType=kind, IfNoneMatch="*"
            )


def _name(number: int) -> str:
    return f"{_PREFIX}{max(number, 0):012d}.json"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
