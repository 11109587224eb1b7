"""The explanation of one token."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from keyturn.api.authorize import authenticate, read_generation
from keyturn.aws.stack import Stack
from keyturn.cli.verify.checks import Check, Decoded, VerificationContext, checks
from keyturn.keyset.model import EndedKey, Key
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken

ACCEPTED = "ok"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The authorizer's verdict, `ok` or a code of docs/tokens.md, and the individual checks."""

    verdict: str
    generation: int
    token: Decoded
    key: Key | EndedKey | None
    checks: tuple[Check, ...]
    routes: Mapping[str, bool]  # the stack's own routes, and whether the scope opens them

    @property
    def is_accepted(self) -> bool:
        """Whether the authorizer accepts it."""
        return self.verdict == ACCEPTED

    def members(self) -> dict[str, Any]:
        """The members of `--json`; none can be used as a token."""
        return {
            "verdict": self.verdict,
            "status": 200 if self.is_accepted else 401,
            "generation": self.generation,
            "key": self.key and {"kid": self.key.kid, "state": self.key.state.value},
            "header": self.token.header,
            "claims": self.token.claims,
            "checks": [asdict(check) for check in self.checks],
            "routes": dict(self.routes),
        }


def explain(stack: Stack, text: str) -> Explanation:
    """Run the authorizer's own code, then check each rule; raises AwsFault, KeysetFault."""
    token, now = Decoded.from_token(text), stack.clock.now()
    try:
        parsed = UnverifiedToken.parse(text)
        claims: Mapping[str, Any] = authenticate(stack, parsed, read_generation(stack, parsed.kid))[
            0
        ]
        verdict = ACCEPTED
    except TokenRefused as refusal:
        claims, verdict = {}, refusal.code.value
    generation = stack.view.get()
    key = generation.keyset.find(token.kid) if token.kid else None
    context = VerificationContext(
        key,
        _public_key(stack, key),
        stack.expectations(stack.settings.audience),
        now,
        generation.keyset,
    )
    table, scopes = stack.settings.route_scopes, frozenset(str(claims.get("scope", "")).split())
    entries = table.list_open_entries(scopes) if table else {}
    routes = {route: verdict == ACCEPTED and is_open for route, is_open in entries.items()}
    return Explanation(
        verdict, generation.number, token, key, tuple(checks(token, context)), routes
    )


def _public_key(stack: Stack, key: Key | EndedKey | None) -> RSAPublicKey | None:
    """The public key; None if KMS returns none, as for a disabled key."""
    return stack.public_keys.get(key) if isinstance(key, Key) else None
