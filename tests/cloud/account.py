"""One AWS account: the services that the product calls, and their clients."""

from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.cloud.events import Bus
from tests.cloud.kms import Kms
from tests.cloud.kms_clients import KmsClient, TaggingClient
from tests.cloud.s3 import S3, S3Client
from tests.cloud.ssm import Ssm
from tests.cloud.wire import Wire


class Account:
    """Parameters, keys, one bucket and the event bus; `epoch` is the wire's instant 0."""

    def __init__(self, wire: Wire, epoch: datetime, material: Iterator[RSAPrivateKey]) -> None:
        self.wire = wire
        self.ssm, self.s3 = Ssm(wire, epoch), S3(wire, epoch)
        self.kms = Kms(wire, epoch, material)
        self.bus = Bus(wire)

    def clients(self) -> SimpleNamespace:
        """The clients of keyturn.aws.clients.Clients that have a fake."""
        return SimpleNamespace(
            ssm=self.ssm.client(retries=True),
            ssm_timed=self.ssm.client(retries=False),
            kms=KmsClient(self.kms, self.wire, retries=True),
            kms_once=KmsClient(self.kms, self.wire, retries=False),
            s3=S3Client(self.s3, self.wire),
            tagging=TaggingClient(self.kms, self.wire),
            events=self.bus,
        )

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """All stored state now: if two snapshots are equal, nothing has changed."""
        return {
            "parameters": {
                name: (shown["Value"], shown["Version"])
                for name in sorted(self.ssm.parameters)
                if self.ssm.see(name, self.wire.now()) is not None
                for shown in [self.ssm.shown(name, self.wire.now())]
            },
            "keys": {arn: self.kms.state(arn) for arn in self.kms.keys},
            "objects": {
                name: (versions[-1].body, versions[-1].metadata, len(versions))
                for name, versions in sorted(self.s3.objects.items())
            },
        }
