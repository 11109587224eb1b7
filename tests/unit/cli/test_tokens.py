"""`keyturn issue`, `verify` and `jwks`: a token from the issuer's own code, explained."""

import io
import json
from contextlib import redirect_stdout

import pytest

from keyturn.api import issue_token
from keyturn.aws.operator.http import Answer
from keyturn.keyset.transitions import revoke
from tests.unit.cli.running import keyturn, transcript
from tests.unit.stage import invoke


@pytest.fixture(autouse=True)
def issuer(deployment, booted):
    """`POST /token/{client}` as API Gateway passes it on."""

    def post_token(body, client="operator"):
        event = {
            "path": f"/token/{client}",
            "pathParameters": {"client": client},
            "requestContext": {"identity": {"userArn": "arn:aws:iam::123456789012:user/me"}},
            "body": json.dumps(body),
        }
        with redirect_stdout(io.StringIO()):  # the issuer's own lines are not the command's
            answer = invoke(issue_token, event)
        return Answer(answer["statusCode"], {}, json.loads(answer["body"]))

    deployment.post_token = post_token


@pytest.fixture
def token() -> str:
    """A token of alice."""
    return keyturn("issue", "--subject", "alice").stdout.strip()


def test_a_token_alone_on_stdout(token):
    """Ready for a pipe; --json has the whole token response."""
    assert token.count(".") == 2
    output = json.loads(keyturn("issue", "--subject", "alice", "--lifetime", "5", "--json").stdout)
    assert set(output) == {"access_token", "token_type", "expires_in"}
    assert output["expires_in"] == 5


def test_claims_are_json_or_text():
    """`--claim` may be repeated; a value is JSON or else text."""
    options = ("--claim", "tenant=blue", "--claim", "level=3", "--claim", 'roles=["a"]')
    token = keyturn("issue", "--subject", "alice", *options).stdout.strip()
    claims = json.loads(keyturn("verify", token, "--json").stdout)["claims"]
    assert (claims["tenant"], claims["level"], claims["roles"]) == ("blue", 3, ["a"])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--claim", "nonsense"), "--claim"),
        (("--claim", "sub=mallory"), "claims.sub"),
        (("--lifetime", "999999"), "lifetime"),
        (("--audience", "elsewhere"), "audience"),
        (("--scope", "everything"), "scope"),
    ],
)
def test_what_may_not_be_asked_for_is_named(options, named):
    """The error has two lines; exit status 2."""
    result = keyturn("issue", "--subject", "alice", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    first, _ = result.stderr.splitlines()
    assert named in first


@pytest.mark.parametrize(("status", "word"), [(403, "execute-api:Invoke"), (503, "doctor")])
def test_an_issuer_that_does_not_answer(deployment, status, word):
    """The error says what to do; exit status 1."""
    deployment.post_token = lambda _body, client: Answer(status, {}, "no")
    result = keyturn("issue", "--subject", "alice")
    assert result.exit_code == 1
    assert word in result.stderr.splitlines()[1]


@pytest.mark.parametrize("width", [80, 120])
def test_a_good_token(booted, token, cloud, width):
    """It prints every check and the verdict; exit status 0."""
    result = keyturn("verify", token, "--kms", width=width)
    assert result.exit_code == 0, result.stdout
    claims = json.loads(keyturn("verify", token, "--json").stdout)["claims"]
    printed = result.stdout.replace(claims["jti"], "0" * 36)
    transcript(
        cloud, f"verify-{width}", printed.replace(booted.settings.issuer, "https://issuer.example")
    )


def test_a_token_from_stdin(token):
    """A token may be read from stdin, so that it does not stay in the shell's history."""
    assert keyturn("verify", "-", text=f"Bearer {token}\n").exit_code == 0
    assert keyturn("verify", "-", text="").exit_code == 2


def test_a_token_whose_key_is_revoked(token, booted, origin, clock, cloud):
    """It says which key, since when it is revoked, and what the authorizer answers."""

    def change(keyset, now):
        gone = [keyset.active.kid]
        return revoke(keyset, gone, now, times=booted.times, limits=booted.limits)

    booted.keysets.update(change, origin)
    clock.advance(30)
    result = keyturn("verify", token, "--json")
    output = json.loads(result.stdout)
    printed = keyturn("verify", token).stdout.replace(output["claims"]["jti"], "0" * 36)
    printed = printed.replace(booted.settings.issuer, "https://issuer.example")
    transcript(cloud, "verify-revoked-80", printed)
    assert (result.exit_code, output["verdict"], output["status"]) == (1, "key_revoked", 401)
    assert output["key"]["state"] == "revoked"


def test_a_changed_token_and_kms_of_one_mind(token):
    """With one byte of the payload changed, KMS refuses the signature, too."""
    header, payload, signature = token.split(".")
    changed = payload[:-3] + ("AAA" if payload[-3:] != "AAA" else "BBB")
    output = json.loads(
        keyturn("verify", f"{header}.{changed}.{signature}", "--kms", "--json").stdout
    )
    assert output["verdict"] == "signature"
    assert output["kms"] == "the signature is not of this key"


@pytest.mark.parametrize("text", ["x", "a.b.c", "eyJh.eyJh.", "...", "ключ", "{}", "[red]"])
def test_what_is_no_token_is_explained_all_the_same(text):
    """The explanation goes to stdout; exit status 1, no stack trace, nothing on stderr."""
    result = keyturn("verify", text, "--kms")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "Refused: malformed" in result.stdout


def test_a_token_of_the_former_issuer_is_accepted(token, deployment, container):
    """It is accepted as by the authorizer after a change of domain; without `FormerIssuer` its `iss` is wrong."""
    former = deployment.settings.issuer
    for former_issuer, verdict in ((former, None), ("", "issuer")):
        changed = container(issuer="https://new.example", former_issuer=former_issuer)
        deployment.__dict__.update(settings=changed.settings)
        answer = json.loads(keyturn("verify", token, "--json").stdout)
        failing = [check["code"] for check in answer["checks"] if check["passed"] is False]
        assert failing == ([verdict] if verdict else [])


def test_no_verb_prints_the_token_but_issue(token):
    """The token is neither in the text, nor in the JSON, nor in an error."""
    parts = token.split(".")
    for options in ((), ("--json",), ("--kms",)):
        output = keyturn("verify", token, *options)
        assert not [part for part in parts if part in output.output]
    wrong = keyturn("revoke", token, "--reason", "x", "--yes")
    assert wrong.exit_code == 2


def test_the_jwks(deployment):
    """The JWKS is printed as it is served; --json adds the headers for caches."""
    kids = {key.kid for key in deployment.keyset.keys}
    assert {key["kid"] for key in json.loads(keyturn("jwks").stdout)["keys"]} == kids
    output = json.loads(keyturn("jwks", "--json").stdout)
    assert set(output) == {"url", "cache_control", "jwks"}
    assert output["cache_control"].startswith("public, max-age=")


def test_a_jwks_that_is_not_there(web):
    """A missing JWKS ends with exit status 1."""
    web.status = 403
    result = keyturn("jwks")
    assert result.exit_code == 1
    assert "answers 403" in result.stderr
