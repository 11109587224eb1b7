"""The principals of a run: each handler has its function's role, the operator every permission in IAM.

That no role has an IAM statement on a key is shown in tests/permissions.
"""

from functools import cache

from tests.definition import STATES, step_of
from tests.permissions.key_policy import EVERYTHING, Principal

ROLE_PREFIX = "arn:aws:iam::123456789012:role/keyturn/us-east-1/sim/"
_BESIDE = {
    "issuer": "IssueToken",
    "authorizer": "Authorize",
    "reconcile": "Reconcile",
    "keyset": "Keyset",
    "ProbeKey": "IssueToken",  # as in template.yaml
}


def role(function: str) -> Principal:
    """A role of the stack, by its function's logical id without the word Function."""
    return Principal(f"{ROLE_PREFIX}{function}FunctionRole/sim-{function}-1ABCDEFGHIJKL")


@cache
def principal_of(label: str) -> Principal:
    """The principal of a container with this label; raises KeyError for one that does not call KMS."""
    if label == "break_glass":
        return Principal("arn:aws:iam::123456789012:role/admin", (EVERYTHING,))
    return role(_BESIDE[label] if label in _BESIDE else step_of(STATES[label]))
