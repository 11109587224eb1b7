"""An emergency has CloudFront forget the JWKS, and nothing else of the account."""

import pytest
from botocore.stub import Stubber

from keyturn.aws.clients import Clients
from keyturn.aws.edge_cache import EdgeCache
from keyturn.aws.faults import AwsFault
from tests.account.resolve import Deployment
from tests.permissions.policy import Statement, allowed
from tests.synthesized import Template, mutated, synthesized

JWKS = "/.well-known/jwks.json"
OURS = "arn:aws:cloudfront::123456789012:distribution/{}"


@pytest.fixture
def clients(monkeypatch) -> Clients:
    """Real ones, with botocore's model of CloudFront, which is in no Region."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # this process's one session keeps it
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return Clients(write_delay=20)


def test_one_file_is_invalidated_under_the_reference_of_the_operation(clients: Clients) -> None:
    """A repetition is the same invalidation. No wildcard: of these 15 paths may be in progress.

    Sources: CloudFront API Reference, CreateInvalidation; Developer Guide, "Concurrent invalidation
    request maximum".
    """
    batch = {"Paths": {"Quantity": 1, "Items": [JWKS]}, "CallerReference": "op-1"}
    invalidation = {"Id": "I1", "Status": "InProgress", "CreateTime": 0, "InvalidationBatch": batch}
    with Stubber(clients.cloudfront) as edge:
        request = {"DistributionId": "E1", "InvalidationBatch": batch}
        edge.add_response("create_invalidation", {"Invalidation": invalidation}, request)
        assert EdgeCache(clients, "E1").invalidate(JWKS, reference="op-1") == "I1"


def test_cloudfront_is_asked_at_its_one_address(clients: Clients) -> None:
    """The request is signed for us-east-1, whatever the stack's Region is."""
    assert clients.cloudfront.meta.endpoint_url == "https://cloudfront.amazonaws.com"
    assert clients.cloudfront.meta.config.retries["total_max_attempts"] == 1


def test_a_refusal_is_a_fault_of_ours(clients: Clients) -> None:
    """FlushAuthorizers reports it and goes on."""
    with Stubber(clients.cloudfront) as edge:
        edge.add_client_error("create_invalidation", "TooManyInvalidationsInProgress")
        with pytest.raises(AwsFault, match="TooManyInvalidationsInProgress"):
            EdgeCache(clients, "E1").invalidate(JWKS, reference="op-1")


def _other_distributions(template: Template) -> list[Statement]:
    roles = Deployment(template).resources("AWS::IAM::Role")
    [policy] = roles["FlushAuthorizersFunctionRole"]["Policies"]
    statements = map(Statement.from_document, policy["PolicyDocument"]["Statement"])
    return allowed(list(statements), "cloudfront:CreateInvalidation", OURS.format("OTHER"), {})


def test_no_other_distribution_can_be_invalidated() -> None:
    """Source: Service Authorization Reference, CloudFront: the action knows the resource."""
    assert not _other_distributions(dict(synthesized()))

    def widen(template: Template) -> None:
        role = template["Resources"]["FlushAuthorizersFunctionRole"]["Properties"]
        statement = role["Policies"][0]["PolicyDocument"]["Statement"][-1]["Fn::If"][1]
        statement["Resource"] = OURS.format("*")

    assert _other_distributions(mutated(widen))
