"""Claim names: those that no client may set, and those that a verifier can mistake for another.

Go's encoding/json ignores case in member names, by Unicode simple folding (`ſ` equals `s`). Java's
equalsIgnoreCase takes `ı` for `i`. Go's json/v2 can also ignore `_` and `-`. To such a verifier, a
token with `SUB` or `client-id` has a different subject or client than it has to us.
"""

import unicodedata
from functools import cache

# Claims that the issuer vouches for, and names that would change how the token is interpreted.
RESERVED = frozenset(
    {
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti"),
        *("client_id", "scope", "cnf", "kid", "alg", "typ"),
    }
)
# IANA, "JSON Web Token Claims" (www.iana.org/assignments/jwt), as of 2024; also `scp` and
# `permissions`, which are not registered but which verifiers read. A name registered later gets no
# special treatment: only a client whose document lists it may set it.
_ALSO_REGISTERED = """
name given_name family_name middle_name nickname preferred_username profile picture website email
email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at
azp nonce auth_time at_hash c_hash acr amr sub_jwk sip_from_tag sip_date sip_callid sip_cseq_num
sip_via_branch orig dest mky events toe txn rph sid vot vtm attest origid act may_act jcard at_use_nbr
div opt vc vp sph ace_profile cnonce exi roles groups entitlements token_introspection eat_nonce ueid
sueids oemid hwmodel hwversion oemboot dbgstat location eat_profile submods uptime bootcount bootseed
dloas swname swversion manifests measurements measres intuse cdniv cdnicrit cdniip cdniuc cdniets
cdnistt cdnistd sig_val_claims authorization_details verified_claims place_of_birth nationalities
birth_family_name birth_given_name birth_middle_name salutation title msisdn also_known_as htm htu ath
atc sub_id rcd rcdi crn msgi _claim_names _claim_sources rdap_allowed_purposes rdap_dnt_allowed geohash
scp permissions
"""
REGISTERED = RESERVED.union(_ALSO_REGISTERED.split())


def fold(name: str) -> str:
    """A form that is equal for names that a verifier may confuse: letters and digits, no case."""
    compatible = unicodedata.normalize("NFKC", name).upper().casefold()
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", compatible)))


@cache
def _registered_by_fold() -> dict[str, str]:
    return {fold(name): name for name in REGISTERED}


def find_problem(name: str) -> str | None:
    """Why no client may set a claim with this name; None if a client may."""
    if name in RESERVED:
        return "is reserved"
    folded = fold(name)
    if not folded:
        return "has no letter or digit"
    twin = _registered_by_fold().get(folded, name)
    return None if twin == name else f"can be read as {twin}"
