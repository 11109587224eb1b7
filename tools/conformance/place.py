"""Where a run takes place: an account, or a local AWS. The run itself knows no difference but this."""

from collections.abc import Mapping
from pathlib import Path

import boto3

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop
from keyturn.rotation.record_changes import record_changes
from tools.demo import story
from tools.local_stacks import deploy_example, orders_url, outputs_of

_SCOPES: Mapping[str, object] = {
    "OperatorScopes": "whoami:read,orders:read",
    "RouteScopes": "GET /whoami=whoami:read;GET /orders=orders:read",
}
_RUNTIME = {"Architecture": "arm64", "PythonRuntime": "python3.14"}
# As short as an account allows: reading clocks, CloudFront and IAM take their time.
_ACCOUNT: Mapping[str, object] = {
    "ViewTtl": 2,
    "Propagation": 60,
    "JwksMaxAge": 10,
    "CdnTtl": 0,
    "TokenLifetime": 120,
    "Leeway": 10,
    "ResultTtl": 10,
    "StaleLimit": 60,
    "DeletionWindow": 7,
    "LogRetention": 1,
}


class Account:
    """A real account: whatever profile, Region and credentials the environment names."""

    name = "AWS"
    is_local = False
    parameters: Mapping[str, object] = {**_RUNTIME, **_ACCOUNT, **_SCOPES}

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def build(self) -> None:
        """The build as a user makes it."""
        self._workshop.build(**_RUNTIME)

    def deploy(self, stack: str, parameters: Mapping[str, object]) -> Deployment:
        """`sam deploy` of the stack under test, or its update."""
        self._sam_deploy(stack, self._workshop.built, parameters)
        return Deployment.find(stack)

    def deploy_example(self, stack: str, name: str, deployment: Deployment) -> dict[str, str]:
        """`sam deploy` of examples/<name> behind the authorizer of this stack; returns the outputs."""
        template = self._workshop.root / "examples" / name / "template.yaml"
        self._sam_deploy(stack, template, _example_parameters(deployment))
        return outputs_of(stack)

    def orders_url(self, outputs: Mapping[str, str]) -> str:
        """The protected route of an example."""
        return outputs["OrdersUrl"]

    def announce_changes(self, deployment: Deployment) -> None:
        """Nothing to do: SSM's own events start RecordChanges."""

    def discard_artefacts(self, stack: str) -> None:
        """Delete what `sam deploy` uploaded for this stack from SAM's own bucket."""
        bucket = outputs_of("aws-sam-cli-managed-default")["SourceBucket"]
        objects = boto3.resource("s3").Bucket(bucket).object_versions
        objects.filter(Prefix=f"{stack}/").delete()

    def _sam_deploy(self, stack: str, template: Path, parameters: Mapping[str, object]) -> None:
        self._workshop.sam_deploy(
            stack,
            *("--template-file", str(template)),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
            *("--resolve-s3", "--s3-prefix", stack),
            *("--parameter-overrides", *_overrides(parameters)),
        )


class LocalPlace(Account):
    """MiniStack: the same commands, with what it lacks made up for."""

    name = "local AWS"
    is_local = True
    parameters: Mapping[str, object] = {**story.TIMES, **_SCOPES}

    def __init__(self, workshop: Workshop, aws: LocalAws) -> None:
        super().__init__(workshop)
        self._aws = aws

    def build(self) -> None:
        """`sam build` for this machine."""
        self._workshop.build()

    def deploy(self, stack: str, parameters: Mapping[str, object]) -> Deployment:
        """See Account; the workshop adds the parameters of this machine."""
        self._workshop.deploy(self._aws, stack, parameters)
        return Deployment.find(stack)

    def deploy_example(self, stack: str, name: str, deployment: Deployment) -> dict[str, str]:
        """See Account."""
        return deploy_example(self._workshop, stack, name, _example_parameters(deployment))

    def orders_url(self, outputs: Mapping[str, str]) -> str:
        """See Account."""
        return orders_url(self._aws, outputs)

    def announce_changes(self, deployment: Deployment) -> None:
        """Do by hand what SSM's events start on AWS: MiniStack sends none."""
        record_changes(deployment)

    def discard_artefacts(self, stack: str) -> None:
        """Nothing to do: the whole server goes."""


def _example_parameters(deployment: Deployment) -> Mapping[str, str]:
    return {
        "KeyturnAuthorizer": deployment.outputs["AuthorizerArn"],
        "KeyturnStack": deployment.stack,
    }


def _overrides(parameters: Mapping[str, object]) -> list[str]:
    return [f'{name}="{value}"' for name, value in parameters.items()]
