"""CloudFront's copies of the public documents, which an emergency has it forget."""

from keyturn.aws.clients import Clients
from keyturn.aws.faults import translate_errors


class EdgeCache:
    """One distribution; `distribution` is its id."""

    def __init__(self, clients: Clients, distribution: str) -> None:
        self._clients = clients
        self._distribution = distribution

    def invalidate(self, path: str, *, reference: str) -> str:
        """Have every edge fetch `path` (`/a/b`) again; returns the invalidation's id, raises AwsFault.

        One attempt. The same reference again is the same invalidation, not another one. Source: Amazon
        CloudFront API Reference, CreateInvalidation.
        """
        with translate_errors("cloudfront:CreateInvalidation"):
            answer = self._clients.cloudfront.create_invalidation(
                DistributionId=self._distribution,
                InvalidationBatch={
                    "Paths": {"Quantity": 1, "Items": [path]},
                    "CallerReference": reference,
                },
            )
        return str(answer["Invalidation"]["Id"])
