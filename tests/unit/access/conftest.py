"""What the tests of route tables share."""

import pytest

from tests.unit.access.iam import Matcher


@pytest.fixture(scope="session")
def iam():
    """Whether a policy lets a method ARN through, as others read IAM's wildcards."""
    with Matcher() as matcher:
        yield matcher
