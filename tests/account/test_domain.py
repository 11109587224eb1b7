"""A domain of one's own: at the first deployment, and when it changes."""

import pytest

from keyturn.tokens import claims
from keyturn.tokens.claims import Expectations
from keyturn.tokens.errors import Code, TokenRefused
from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized

DOMAIN = {"DomainName": "issuer.example.com", "CertificateArn": "arn:aws:acm:…"}
NEW, OLD = "https://new.example.com", "https://old.example.com"


def variables(template: Template, function: str, **parameters: str) -> dict[str, str]:
    """The function's environment."""
    functions = Deployment(template, parameters).resources("AWS::Lambda::Function")
    environment: dict[str, str] = functions[function]["Environment"]["Variables"]
    return environment


def probes(template: Template) -> str:
    """Where ProbeKey fetches the JWKS of a stack with a domain."""
    probe = variables(template, "ProbeKeyFunction", **DOMAIN)
    return probe.get("KEYTURN_JWKS_ORIGIN") or probe["KEYTURN_ISSUER"]


def test_the_first_probe_needs_no_dns_record() -> None:
    """The record's target is an output of the stack whose creation waits for the probe.

    Source: CloudFront Developer Guide, "Use custom URLs by adding alternate domain names": the
    distribution answers by its own name as well.
    """
    assert probes(dict(synthesized())) == "https://<Distribution.DomainName>"
    assert variables(dict(synthesized()), "IssueTokenFunction", **DOMAIN)["KEYTURN_ISSUER"] == (
        "https://issuer.example.com"
    )

    def forget(template: Template) -> None:
        function = template["Resources"]["ProbeKeyFunction"]["Properties"]
        del function["Environment"]["Variables"]["KEYTURN_JWKS_ORIGIN"]

    assert probes(mutated(forget)) == "https://issuer.example.com"


def test_only_the_authorizer_knows_a_former_issuer() -> None:
    """The issuer signs for the new one alone."""
    informed = {
        name
        for name, function in Deployment(synthesized()).resources("AWS::Lambda::Function").items()
        if "KEYTURN_FORMER_ISSUER" in function.get("Environment", {}).get("Variables", {})
    }
    assert informed == {"AuthorizeFunction"}
    authorizer = variables(dict(synthesized()), "AuthorizeFunction", FormerIssuer=OLD)
    assert authorizer["KEYTURN_FORMER_ISSUER"] == OLD


def check(iss: str, expected: Expectations) -> None:
    """Check the claims of a token of this issuer."""
    members = claims.build(
        issuer=iss,
        subject="alice",
        audience="orders",
        client_id="client",
        jti="1",
        now=0,
        lifetime=60,
    )
    claims.check_claims(members, expected, lifetime=60, now=1)


def test_live_tokens_of_the_former_issuer_are_accepted() -> None:
    """They live for L + λ after the change, and their key is the same."""
    check(NEW, Expectations(NEW, "orders", 0, former_issuer=OLD))
    check(OLD, Expectations(NEW, "orders", 0, former_issuer=OLD))
    with pytest.raises(TokenRefused) as refusal:  # what the rule is without the parameter
        check(OLD, Expectations(NEW, "orders", 0))
    assert refusal.value.code == Code.ISSUER


@pytest.mark.parametrize("former", ["", OLD])
@pytest.mark.parametrize(
    "foreign", ["https://evil.example.com", f"{OLD}/", OLD[:-1], OLD.upper(), " "]
)
def test_a_foreign_issuer_stays_refused(former: str, foreign: str) -> None:
    """Compared character by character, with a former issuer and without one."""
    with pytest.raises(TokenRefused) as refusal:
        check(foreign, Expectations(NEW, "orders", 0, former_issuer=former))
    assert refusal.value.code == Code.ISSUER


def test_an_empty_issuer_is_not_the_missing_former_one() -> None:
    """`FormerIssuer` is empty by default."""
    with pytest.raises(TokenRefused) as refusal:
        check("", Expectations(NEW, "orders", 0))
    assert refusal.value.code == Code.CLAIMS
