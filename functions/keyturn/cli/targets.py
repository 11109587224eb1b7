"""The targets of `keyturn revoke`: keys by their kids, tokens by client, subject or jti."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyturn.cli.terminal import UsageError
from keyturn.cli.verify.checks import Decoded
from keyturn.keyset.cutoffs import Claim, digest_of


@dataclass(frozen=True, slots=True)
class Targets:
    """The tokens to refuse, by the values of their claims; `blocked` and `released` are clients."""

    clients: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    jtis: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    released: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.clients, self.subjects, self.jtis, self.blocked, self.released))

    @property
    def names(self) -> list[str]:
        """The targets' names, for display. Subjects are shown to the operator and not stored."""
        return [
            *(f"client {name}" for name in self.clients),
            *(f"subject {name}" for name in self.subjects),
            *(f"token {jti}" for jti in self.jtis),
            *(f"client {name}, blocked" for name in self.blocked),
            *(f"client {name}, released" for name in self.released),
        ]

    def request(self) -> dict[str, Any]:
        """Their members in an execution's input: digests, so that no history contains a subject."""
        cut_off = {
            claim.value: _digests(values)
            for claim, values in (
                (Claim.CLIENT, self.clients),
                (Claim.SUBJECT, self.subjects),
                (Claim.TOKEN, self.jtis),
            )
            if values
        }
        members = {
            "cut_off": cut_off,
            "block": _digests(self.blocked),
            "release": _digests(self.released),
        }
        return {name: value for name, value in members.items() if value}

    def matches(self, claims: Mapping[str, Any]) -> bool:
        """Whether a token with these claims is a target."""
        return (
            claims.get(Claim.CLIENT) in (*self.clients, *self.blocked)
            or claims.get(Claim.SUBJECT) in self.subjects
            or claims.get(Claim.TOKEN) in self.jtis
        )


def jti_of(file: Path) -> str:
    """The jti of the token in a file, unverified: revoking an unknown jti is harmless.

    Raises UsageError.
    """
    claims = Decoded.from_token(file.read_text().strip()).claims or {}
    jti = claims.get(Claim.TOKEN)
    if not isinstance(jti, str) or not jti:
        raise UsageError(f"{file} contains no token with a jti")
    return jti


def _digests(values: Iterable[str]) -> list[str]:
    return [digest_of(value) for value in dict.fromkeys(values)]
