"""`keyturn client explain`: the issuer's answer, without asking the issuer."""

import json

import pytest

from keyturn.api import issue_token
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.keyset.token_revocation import cut_off
from keyturn.tokens.jws import UnverifiedToken
from tests.unit.cli.running import keyturn, transcript
from tests.unit.stage import invoke

DOCUMENT = {
    "audiences": ["orders", "billing"],
    "scopes": ["orders:read", "orders:write"],
    "subjects": ["alice"],
    "max_lifetime": 10,
    "claims": ["tenant"],
}
GOOD = {"subject": "alice", "audience": "orders"}
REQUESTS = [
    (GOOD, None),
    ({**GOOD, "scope": "orders:write", "lifetime": 5, "claims": {"tenant": "blue"}}, None),
    ({**GOOD, "subject": "bob"}, "subjects"),
    ({"subject": "alice"}, "audiences"),
    ({**GOOD, "audience": "stock"}, "audiences"),
    ({**GOOD, "scope": "orders:delete"}, "scopes"),
    ({**GOOD, "lifetime": 11}, "max_lifetime"),
    ({**GOOD, "lifetime": 0}, None),
    ({**GOOD, "claims": {"roles": ["a"]}}, "claims"),
    ({**GOOD, "claims": {"SUB": "eve"}}, "claims"),
    ({**GOOD, "claims": {"tenant": "a" * 9000}}, None),
]


def options(request):
    """The request as the command's options."""
    for name, value in request.items():
        if name == "claims":
            for claim, text in value.items():
                yield from ("--claim", f"{claim}={json.dumps(text)}")
        else:
            yield from (f"--{name}", str(value))


@pytest.mark.parametrize(("request_", "member"), REQUESTS)
def test_it_says_what_the_issuer_says(deployment, request_, member):
    """Its status, error and description are the issuer's for the same request, and it names the member that decides."""
    deployment.client_documents.put("orders", json.dumps(DOCUMENT))
    event = {
        "path": "/token/orders",
        "pathParameters": {"client": "orders"},
        "requestContext": {"identity": {"userArn": "arn:aws:iam::123456789012:user/ops"}},
        "body": json.dumps(request_),
    }
    answer = invoke(issue_token, event)
    issued = json.loads(answer["body"])
    result = keyturn("client", "explain", "orders", *options(request_), "--json")
    explanation = json.loads(result.stdout)
    assert explanation["status"] == answer["statusCode"]
    assert (explanation["error"], explanation["error_description"]) == (
        issued.get("error"),
        issued.get("error_description"),
    )
    assert explanation["member"] == member
    assert result.exit_code == (0 if explanation["status"] == 200 else 1)
    if explanation["status"] == 200:
        claims = json.loads(UnverifiedToken.parse(issued["access_token"]).payload)
        assert explanation["grant"] == {
            "subject": claims["sub"],
            "audience": claims["aud"],
            "scope": claims.get("scope", ""),
            "lifetime": issued["expires_in"],
            "claims": {name: claims[name] for name in {"tenant"} & claims.keys()},
        }


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [(None, 403, "unauthorized_client"), ("{}", 503, "temporarily_unavailable")],
)
def test_a_client_without_a_document_that_parses(deployment, cloud, text, status, error):
    """It gives the issuer's answer, and names the problem of the document."""
    if text:
        cloud.ssm.put("/keyturn/demo/clients/orders", text)
    event = {"client": "orders", "subject": "alice"}
    assert invoke(issue_token, event)["error"] == error
    result = keyturn("client", "explain", "orders", "--subject", "alice", "--json")
    explanation = json.loads(result.stdout)
    assert (
        result.exit_code,
        explanation["status"],
        explanation["error"],
        explanation["grant"],
    ) == (
        1,
        status,
        error,
        None,
    )
    assert ("audiences is required" in explanation["error_description"]) is bool(text)


def test_a_blocked_client(deployment, booted, origin):
    """A blocked client is refused because of the keyset; its document is unchanged."""
    deployment.client_documents.put("orders", json.dumps(DOCUMENT))
    booted.keysets.update(
        lambda keyset, now: cut_off(
            keyset,
            [(Claim.CLIENT, digest_of("orders"))],
            now,
            before=timing.cutoff_before(now, booted.times),
            times=booted.times,
            limits=booted.limits,
            block=True,
        ),
        origin,
    )
    event = {"client": "orders", **GOOD}
    issued = invoke(issue_token, event)
    explanation = json.loads(
        keyturn("client", "explain", "orders", *options(GOOD), "--json").stdout
    )
    assert (explanation["status"], explanation["member"]) == (403, None)
    assert (explanation["error"], explanation["error_description"]) == (
        issued["error"],
        issued["error_description"],
    )


def test_what_people_read(deployment, cloud):
    """The token that it may have; the one that it may not, and why."""
    deployment.client_documents.put("orders", json.dumps(DOCUMENT))
    arguments = ("client", "explain", "orders", "--subject", "alice", "--audience", "orders")
    granted = keyturn(*arguments, "--scope", "orders:read", "--claim", "tenant=blue").stdout
    refused = keyturn(*arguments, "--scope", "orders:read orders:delete").stdout
    transcript(cloud, "client-explain-80", f"{granted}\n{refused}")
