"""The JWKS and the metadata documents in S3: a projection of the keyset for verifiers.

Every write has `If-Match` or `If-None-Match`, and the generation is in the object's metadata, so an
older generation never replaces a newer one.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyturn.access.metadata import Document, authorization_server, openid_provider
from keyturn.aws.faults import NotFound, translate_errors
from keyturn.tokens.jwk import PublicJwk, certify

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

JWKS = ".well-known/jwks.json"
OPENID_PROVIDER = ".well-known/openid-configuration"
AUTHORIZATION_SERVER = ".well-known/oauth-authorization-server"
PROTECTED_RESOURCES = ".well-known/oauth-protected-resource/"
_GENERATION = "keyturn-generation"
_NUMBER = re.compile(r"[0-9]{1,12}")
_MAX_BYTES = 16_384  # to read of an object: ten RSA_2048 keys take 5,000


@dataclass(frozen=True, slots=True)
class Projection:
    """The JWKS as stored: the generation that it claims, its text, and its keys by kid.

    `keys` holds the members whose kid is their thumbprint; that a key is here does not make it
    ours.
    """

    generation: int
    keys: Mapping[str, PublicJwk]
    body: bytes
    etag: str
    cache_control: str


@dataclass(frozen=True, slots=True)
class _Object:
    generation: int
    etag: str
    cache_control: str
    body: bytes


class WellKnown:
    """The `.well-known/` objects; `max_age` is that of their Cache-Control, in seconds."""

    def __init__(
        self, s3: "S3Client", bucket: str, *, issuer: str, token_url: str, max_age: int
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._issuer = issuer
        self._token_url = token_url
        self._max_age = max_age

    @property
    def jwks_url(self) -> str:
        """The public URL of the JWKS."""
        return f"{self._issuer}/{JWKS}"

    def read(self) -> Projection | None:
        """The JWKS as stored, or None if there is none yet; raises AwsFault."""
        stored = self._get(JWKS)
        if stored is None:
            return None
        keys = parse_jwks(stored.body)
        return Projection(stored.generation, keys, stored.body, stored.etag, stored.cache_control)

    def matches(self, projection: Projection, generation: int, keys: Iterable[PublicJwk]) -> bool:
        """Whether it is what `write` would store, with the same Cache-Control."""
        is_cached_right = projection.cache_control == self._cache_control
        return is_cached_right and is_unchanged(projection, generation, keys)

    def write(
        self, generation: int, keys: Iterable[PublicJwk], replaced: Projection | None
    ) -> None:
        """Replace `replaced` by the JWKS of `generation`; raises Conflict if it changed."""
        self._put(JWKS, _jwks(generation, keys), generation, replaced.etag if replaced else None)

    def write_metadata(self) -> None:
        """Write the metadata documents unless they are up to date; raises Conflict, AwsFault."""
        for name, document in self.metadata.items():
            self.publish(name, document)

    @property
    def metadata(self) -> Mapping[str, Document]:
        """The documents of RFC 8414 and OpenID Connect Discovery, by name."""
        server = (self._issuer, self.jwks_url, self._token_url)
        return {
            AUTHORIZATION_SERVER: authorization_server(*server),
            OPENID_PROVIDER: openid_provider(*server),
        }

    def publish(self, name: str, document: Document) -> bool:
        """Write a document unless it is there already, byte for byte and with its Cache-Control.

        Returns whether it was written. Raises Conflict, AwsFault.
        """
        existing = self._get(name)
        content = existing and (existing.body, existing.cache_control)
        if content == (_body(document), self._cache_control):
            return False
        self._put(name, document, 0, existing.etag if existing else None)
        return True

    def list_names(self, prefix: str) -> set[str]:
        """The names of the objects with this prefix; raises AwsFault."""
        with translate_errors("s3:ListObjectsV2"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            return {item["Key"] for page in pages for item in page.get("Contents", ())}

    def remove(self, name: str) -> None:
        """Delete an object, if it is there; raises AwsFault."""
        with translate_errors("s3:DeleteObject"):
            self._s3.delete_object(Bucket=self._bucket, Key=name)

    def differs(self, name: str, document: Document) -> bool:
        """Whether the stored object is missing or different; raises AwsFault."""
        stored = self._get(name)
        return stored is None or stored.body != _body(document)

    def empty_bucket(self) -> None:
        """Delete every version and delete marker, history included: the stack is being deleted.

        In a bucket that was never versioned each object has one version, `null`.
        """
        with translate_errors("s3:ListObjectVersions"):
            pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket)
            versions = [
                (item["Key"], item["VersionId"])
                for page in pages
                for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            ]
        for name, version in versions:
            with translate_errors("s3:DeleteObject"):
                self._s3.delete_object(Bucket=self._bucket, Key=name, VersionId=version)

    @property
    def _cache_control(self) -> str:
        return f"public, max-age={self._max_age}"

    def _get(self, name: str) -> _Object | None:
        try:
            with translate_errors("s3:GetObject"):
                answer = self._s3.get_object(Bucket=self._bucket, Key=name)
                body = answer["Body"].read(_MAX_BYTES)
        except NotFound:
            return None
        number = answer["Metadata"].get(_GENERATION, "")
        # Any other form is not ours, and is treated as outdated.
        generation = int(number) if _NUMBER.fullmatch(number) else 0
        return _Object(generation, answer["ETag"], answer.get("CacheControl", ""), body)

    def _put(
        self, name: str, document: Mapping[str, Any], generation: int, etag: str | None
    ) -> None:
        kind = "application/jwk-set+json" if name == JWKS else "application/json"
        condition: Any = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        with translate_errors("s3:PutObject"):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=name,
                Body=_body(document),
                ContentType=kind,
                CacheControl=self._cache_control,
                Metadata={_GENERATION: str(generation)},
                **condition,
            )


def is_unchanged(projection: Projection, generation: int, keys: Iterable[PublicJwk]) -> bool:
    """Whether it is, byte for byte, the JWKS of this generation, that is, not tampered with."""
    body = _body(_jwks(generation, keys))
    return (projection.generation, projection.body) == (generation, body)


def _jwks(generation: int, keys: Iterable[PublicJwk]) -> Mapping[str, Any]:
    # The generation is in the body too: an ETag covers only the body, and a later generation can
    # have the same keys, which a slow writer's If-Match must not mistake for the earlier one.
    return {"keys": [key.members() for key in keys], "generation": generation}


def foreign_members(body: bytes, generation: int, kids: Iterable[str]) -> list[str]:
    """The members that do not belong in the JWKS of these kids, by kid or position (`keys[2]`)."""
    try:
        document = json.loads(body)
        members = document["keys"]
        other_names = document.keys() - {"keys", "generation"}
        if document.get("generation") != generation:
            other_names.add("generation")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return ["the document"]
    if not isinstance(members, list):
        return ["keys"]
    certified_jwks = parse_jwks(body)
    expected_members = [certified_jwks[kid].members() for kid in kids if kid in certified_jwks]
    foreign = [
        _describe_member(index, member)
        for index, member in enumerate(members)
        if member not in expected_members or member in members[:index]
    ]
    return [*foreign, *sorted(other_names)]


def _describe_member(index: int, member: Any) -> str:
    kid = member.get("kid") if isinstance(member, dict) else None
    return kid[:43] if isinstance(kid, str) else f"keys[{index}]"


def parse_jwks(body: bytes) -> dict[str, PublicJwk]:
    """The RSA keys in a JWKS whose kid is their thumbprint, by kid; ignores anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    members = document.get("keys") if isinstance(document, dict) else None
    jwks = map(_parse_member, members if isinstance(members, list) else ())
    return {jwk.kid: jwk for jwk in jwks if jwk}


def _parse_member(member: Any) -> PublicJwk | None:
    match member:
        case {"n": str(n), "e": str(e), "kid": str(kid)}:
            pass
        case _:
            return None
    try:
        jwk = PublicJwk(n=n, e=e)
        PublicJwk.from_rsa(jwk.public_key())
        return certify(jwk, kid)
    except ValueError:  # NotASigningKey, or numbers that are not base64url
        return None


def _body(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
