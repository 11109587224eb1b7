"""Every generation, kept in S3 after it has left SSM: the audit trail (docs/decisions/0021).

An object's name contains the SHA-256 of its content. So its content can be checked against its
name, and a different text is a different object. An object with one of our names and other content
is not ours, and is overwritten.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from keyturn.aws.faults import Conflict, NotFound, translate_errors
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.model import Generation

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PREFIX = "history/"
_GENERATION = re.compile(rf"{_PREFIX}([0-9]{{12}})-([A-Za-z0-9_-]{{43}})\.json")
_UNLAWFUL = re.compile(rf"{_PREFIX}unlawful/.+-[A-Za-z0-9_-]{{43}}\.txt")
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class HistoryObject:
    """An object in the history; `number` and `digest` of its generation come from its name.

    `number` is None if the name is not one of ours. `modified` is S3's own date, which cannot be
    backdated.
    """

    name: str
    number: int | None
    digest: str
    modified: datetime


class History:
    """`history/<generation>-<digest>.json` in the stack's bucket, which is not public."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def keep(self, number: int, text: str) -> bool:
        """Store a generation's document; returns whether it replaced a different text."""
        return self._keep(_name(number, text), text, "application/json")

    def keep_unlawful(self, name: str, text: str) -> None:
        """Store the text of a parameter that does not count."""
        self._keep(_unlawful_name(name, text), text, "text/plain")

    def holds(self, generation: Generation) -> bool:
        """Whether exactly this text is stored. Reads one object, however many others there are."""
        body, _ = self._get(_name(generation.number, generation.text))
        return body == _bytes(generation.text)

    def holds_unlawful(self, name: str, text: str) -> bool:
        """Whether exactly this text is stored."""
        body, _ = self._get(_unlawful_name(name, text))
        return body == _bytes(text)

    def objects(self, since: int = 0, limit: int | None = None) -> list[HistoryObject]:
        """The objects from this generation on, by number, then by age, except unlawful texts.

        `limit` bounds how many are listed: a principal that may write could write a million.
        """
        after = f"{_PREFIX}{since:012d}" if since > 0 else _PREFIX
        with translate_errors("s3:ListObjectsV2"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=_PREFIX, StartAfter=after
            )
            items = list(
                islice((entry for page in pages for entry in page.get("Contents", ())), limit)
            )
        parsed = [_parse(item) for item in items if not _UNLAWFUL.fullmatch(item["Key"])]
        return sorted(parsed, key=lambda entry: (entry.number or 0, entry.modified, entry.name))

    def generations(self, since: int = 0, limit: int | None = None) -> list[HistoryObject]:
        """Those objects whose names are names of generations."""
        return [entry for entry in self.objects(since, limit) if entry.number is not None]

    def read(self, history_object: HistoryObject) -> Generation:
        """The generation in an object; raises DocumentInvalid if it is misnamed, AwsFault."""
        body, _ = self._get(history_object.name)
        try:
            text = (body or b"").decode()
        except UnicodeDecodeError:
            raise DocumentInvalid(f"{history_object.name}: not UTF-8") from None
        if document.digest(text) != history_object.digest:
            raise DocumentInvalid(f"{history_object.name}: has different content")
        generation = document.loads(text)
        if generation.number != history_object.number:
            raise DocumentInvalid(f"{history_object.name}: holds generation {generation.number}")
        return generation

    def _keep(self, name: str, text: str, kind: str) -> bool:
        """Only one text belongs under a name, so overwriting any other loses nothing of ours."""
        body, etag = _bytes(text), ""
        for _ in range(_ATTEMPTS):
            condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
            try:
                self._put(name, body, kind, condition)
            except (NotFound, Conflict):
                existing_body, etag = self._get(name)
                if existing_body == body:
                    return False
            else:
                return bool(etag)
        raise Conflict("s3:PutObject", "WrittenByOthersMeanwhile")

    def _get(self, name: str) -> tuple[bytes | None, str]:
        try:
            with translate_errors("s3:GetObject"):
                answer = self._s3.get_object(Bucket=self._bucket, Key=name)
                return answer["Body"].read(), answer["ETag"]
        except NotFound:
            return None, ""

    def _put(self, name: str, body: bytes, kind: str, condition: Any) -> None:
        with translate_errors("s3:PutObject"):
            self._s3.put_object(
                Bucket=self._bucket, Key=name, Body=body, ContentType=kind, **condition
            )


def _parse(item: Any) -> HistoryObject:
    match = _GENERATION.fullmatch(item["Key"])
    number, digest = (int(match[1]), match[2]) if match else (None, "")
    return HistoryObject(item["Key"], number, digest, item["LastModified"])


def _name(number: int, text: str) -> str:
    return f"{_PREFIX}{number:012d}-{document.digest(text)}.json"


def _unlawful_name(name: str, text: str) -> str:
    return f"{_PREFIX}unlawful/{name}-{document.digest(text)}.txt"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
