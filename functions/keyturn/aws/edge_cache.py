"""CloudFront's copies of the public documents, which an emergency invalidates."""

from keyturn.aws.clients import Clients
from keyturn.aws.faults import translate_errors


class EdgeCache:
    """The cache of one distribution, given by its id."""

    def __init__(self, clients: Clients, distribution: str) -> None:
        self._clients = clients
        self._distribution = distribution

    def invalidate(self, path: str, *, reference: str) -> str:
        """Invalidate `path` (`/a/b`) at every edge; returns the invalidation's id, raises AwsFault.

        Makes one attempt. Repeating a reference returns the same invalidation. Source: Amazon
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
