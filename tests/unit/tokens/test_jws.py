"""The compact serialisation: one shape is made, one shape is taken apart."""

import base64
import json

import pytest

from keyturn.tokens import jws
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.unit.stage import forge

KID = "k" * 43
MEMBERS = {"alg": "RS256", "kid": KID, "typ": "at+jwt"}
CLAIMS = {"sub": "Zoë", "q": "???????>>>>>>>"}
SIGNATURE = bytes(range(256))


def unpadded(raw: bytes) -> str:
    """Base64url by way of the standard library."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    """The bytes of an unpadded segment."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


TOKEN = jws.serialize(jws.build_signing_input(KID, CLAIMS), SIGNATURE)
HEADER, PAYLOAD, SIGNED = TOKEN.split(".")


def refusal(text: str) -> Code:
    """Why `text` is no token."""
    with pytest.raises(TokenRefused) as refused:
        UnverifiedToken.parse(text)
    return refused.value.code


def sized(size: int) -> str:
    """A well-formed token of exactly `size` characters."""
    payload = size - len(f"{HEADER}..{SIGNED}")
    return f"{HEADER}.{unpadded(b'x' * (payload * 3 // 4))}.{SIGNED}"


def test_the_header_has_exactly_three_members():
    """The header is RS256, this kid and an access token, and nothing else."""
    header, payload = jws.build_signing_input(KID, CLAIMS).split(".")
    assert json.loads(padded(header)) == MEMBERS
    assert json.loads(padded(payload)) == CLAIMS


def test_claims_are_compact_utf_8():
    """No room is wasted on spaces or escapes."""
    payload = jws.build_signing_input(KID, {"a": 1, "sub": "Zoë"}).split(".")[1]
    assert padded(payload) == '{"a":1,"sub":"Zoë"}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"], ids=repr)
def test_what_strict_json_refuses_is_not_signed(value):
    """Numbers that are none and text that has no UTF-8 cannot be put into a token."""
    with pytest.raises(ValueError):
        jws.build_signing_input(KID, {"a": value})


def test_a_token_is_taken_apart_as_it_was_put_together():
    """Parsing gives the kid, the signed bytes as they stand, the payload and the signature."""
    token = UnverifiedToken.parse(TOKEN)
    assert token.kid == KID
    assert token.signing_input == TOKEN.rpartition(".")[0].encode()
    assert json.loads(token.payload) == CLAIMS
    assert token.signature == SIGNATURE


def test_the_size_is_known_before_signing():
    """`serialized_size` is the length of the token that will come out."""
    signed = jws.build_signing_input(KID, CLAIMS)
    assert jws.serialized_size(signed) == len(jws.serialize(signed, SIGNATURE))


def test_a_token_of_8192_bytes_is_read():
    """The limit itself is within."""
    text = sized(8192)
    assert len(text) == 8192
    assert UnverifiedToken.parse(text).kid == KID


@pytest.mark.parametrize(
    "text", [sized(8193), "." * 8193, "a" * 100_000], ids=["token", "dots", "junk"]
)
def test_a_larger_text_is_not_even_looked_at(text):
    """A byte more is too large, whatever it is."""
    assert len(text) > 8192
    assert refusal(text) is Code.TOO_LARGE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(HEADER, id="1 segment"),
        pytest.param(f"{HEADER}.{PAYLOAD}", id="2 segments"),
        pytest.param(f"{TOKEN}.{PAYLOAD}", id="4 segments"),
        pytest.param(f"{TOKEN}.{PAYLOAD}.{SIGNED}", id="5 segments"),
        pytest.param(f"{TOKEN}.", id="trailing dot"),
        pytest.param(f".{TOKEN}", id="leading dot"),
        pytest.param("..", id="3 empty segments"),
        pytest.param(f".{PAYLOAD}.{SIGNED}", id="empty header"),
        pytest.param(f"{HEADER}..{SIGNED}", id="empty payload"),
        pytest.param(f"{HEADER}.{PAYLOAD}.", id="empty signature"),
        pytest.param(f"Bearer {TOKEN}", id="with its scheme"),
        pytest.param(f"{TOKEN}\n", id="newline at the end"),
        pytest.param(f" {TOKEN}", id="space in front"),
        pytest.param(TOKEN.replace(".", " ."), id="spaces inside"),
        pytest.param(TOKEN.replace(".", "．"), id="fullwidth dots"),
        pytest.param(TOKEN + "é", id="not ASCII"),
        pytest.param(TOKEN + "\udcff", id="a surrogate"),
        pytest.param(TOKEN + "\0", id="NUL at the end"),
    ],
)
def test_any_other_shape_is_malformed(text):
    """Three non-empty segments in ASCII, or nothing."""
    assert refusal(text) is Code.MALFORMED


SPELLINGS = {
    "padded": lambda text: text + "=" * (-len(text) % 4 or 4),
    "plain alphabet": lambda text: text.replace("-", "+").replace("_", "/"),
    "trailing bits": lambda text: text[:-1] + chr(ord(text[-1]) + 1),
    "a character too many": lambda text: text + "A" * (1 + -len(text) % 4),
    "newline inside": lambda text: text[:4] + "\n" + text[4:],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("index", [0, 1, 2], ids=["header", "payload", "signature"])
def test_a_segment_has_one_spelling(index, spelling):
    """A segment that decodes to the same bytes but is not canonical is malformed."""
    header = unpadded(b'{"alg":"RS256","kid":"???????>>>>>>>?","typ":"at+jwt"}')
    segments = [header, PAYLOAD, SIGNED]
    assert UnverifiedToken.parse(".".join(segments))
    respelt = SPELLINGS[spelling](segments[index])
    assert respelt != segments[index]
    segments[index] = respelt
    assert refusal(".".join(segments)) is Code.MALFORMED


HEADERS = [
    *(({"alg": alg}, Code.ALGORITHM) for alg in ("none", "HS256", "RS512", "PS256", "rs256", "")),
    *(({"alg": alg}, Code.ALGORITHM) for alg in (None, 256, True, ["RS256"], {"RS256": 1})),
    *(({"typ": typ}, Code.TYPE) for typ in ("JWT", "AT+JWT", "application/at+jwt", "", None, 1)),
    *(({"kid": kid}, Code.HEADER) for kid in (7, None, True, [KID], {"kid": KID}, 1.5)),
    *(({name: ...}, Code.HEADER) for name in ("alg", "kid", "typ")),
    ({"jwk": {"kty": "RSA", "n": "AQ", "e": "AQAB"}}, Code.HEADER),
    ({"crit": ["exp"]}, Code.HEADER),
    ({"b64": False, "crit": ["b64"]}, Code.HEADER),
    *(({name: "https://evil.example"}, Code.HEADER) for name in ("jku", "x5u", "x5c", "cty", "")),
]


@pytest.mark.parametrize(("changes", "code"), HEADERS, ids=str)
def test_the_header_is_exact(rsa_key, changes, code):
    """Any header but the one is refused, well signed or not; `...` leaves a member out."""
    header = {name: value for name, value in {**MEMBERS, **changes}.items() if value is not ...}
    assert refusal(forge(rsa_key, header, CLAIMS)) is code


@pytest.mark.parametrize("bracket", ["[", "{"])
def test_a_header_full_of_brackets_is_not_looked_into(bracket):
    """Anyone can send it, and no header of ours has more than one."""
    header = base64.urlsafe_b64encode(f'{{"x":"{bracket * 65}"}}'.encode()).rstrip(b"=").decode()
    assert refusal(f"{header}.e30.e30") is Code.MALFORMED
