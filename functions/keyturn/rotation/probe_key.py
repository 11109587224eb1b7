"""ProbeKey: with the issuer's role, prove that the standby signs and the public JWKS verifies."""

import urllib3

from keyturn.aws.keyset.well_known import JWKS, parse_jwks
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.states import State
from keyturn.rotation.task import Outcome, StandbyInput, Step, task
from keyturn.tokens.jwk import PublicJwk
from keyturn.tokens.verify import has_signature

_HTTP = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=3), retries=False)


class ProbeFailed(KeysetFault):
    """Verifiers that read the public JWKS could not verify a token of this key."""


def run(stack: Stack, event: StandbyInput) -> Outcome:
    """Outcome `proved`, or `overtaken` if the key may no longer sign.

    Raises ProbeFailed, AwsFault.
    """
    key = stack.keysets.read().keyset.get(event.standby.kid)
    if key.state not in (State.STANDBY, State.ACTIVE):
        return {"outcome": "overtaken", "reason": f"key {key.kid} is {key.state}"}

    message = f"keyturn probe {event.plan.op_id}: spaces and one dot, never a JWS.".encode()
    signature = stack.kms.sign(key.kms_key_arn, message)
    jwk = _fetch(_public_url(stack)).get(key.kid)

    if jwk is None:
        raise ProbeFailed(f"the public JWKS does not contain key {key.kid}")
    if not has_signature(jwk.public_key(), signature, message):
        raise ProbeFailed(f"the public JWKS does not verify key {key.kid}")
    return {"outcome": "proved", "kid": key.kid}


def _public_url(stack: Stack) -> str:
    """A URL of the JWKS that always resolves; the issuer's name may get its DNS record later."""
    origin = stack.settings.jwks_origin
    return f"{origin}/{JWKS}" if origin else stack.well_known.jwks_url


def _fetch(url: str) -> dict[str, PublicJwk]:
    try:
        answer = _HTTP.request("GET", url)
    except urllib3.exceptions.HTTPError as error:
        raise ProbeFailed(f"{url} cannot be fetched: {type(error).__name__}") from None
    if answer.status != 200:
        raise ProbeFailed(f"{url} answers {answer.status}")
    return parse_jwks(answer.data)


handler = task(Step.PROBE_KEY, StandbyInput, run)
