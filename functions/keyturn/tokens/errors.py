"""All reasons for refusing a token, on one page. No error here contains text from the token."""

from enum import StrEnum


class Code(StrEnum):
    """The closed set of reasons; logs and metrics use no others."""

    MISSING = "missing"  # no bearer token at all
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"  # not three canonical base64url segments of strict JSON objects
    HEADER = "header"  # a member that is missing, unknown or of another type
    ALGORITHM = "algorithm"
    TYPE = "type"
    UNKNOWN_KID = "unknown_kid"
    KEY_NOT_PUBLISHED = "key_not_published"
    KEY_EXPIRED = "key_expired"  # a grace key after its verify_until
    KEY_RETIRED = "key_retired"
    KEY_REVOKED = "key_revoked"
    SIGNATURE = "signature"
    CLAIMS = "claims"  # a required claim that is missing or of another type
    LIFETIME = "lifetime"  # exp - iat is not within the key's lifetime
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    CUT_OFF = "cut_off"  # its client, its subject or the token itself was revoked since


class TokenRefused(Exception):
    """The token is invalid; `code` says why."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code
