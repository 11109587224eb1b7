"""Stacks on a local AWS: Keyturn's own, and the API of `examples/` behind its authorizer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
import urllib3

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop, running
from tests.definition import ROOT

ORDERS = "https://orders.example"  # the audience of the examples' APIs
_ANSWER_SECONDS = 30  # of an API, with two cold starts behind it


@contextmanager
def deployed(place: str, parameters: Mapping[str, object]) -> Iterator[Deployment]:
    """Build and deploy `keyturn` to a MiniStack, with everything below build/<place>."""
    workshop = Workshop(ROOT, ROOT / "build" / place)
    workshop.build()
    with running(workshop) as aws:
        workshop.deploy(aws, "keyturn", parameters)
        yield Deployment.find("keyturn")


def outputs_of(stack: str) -> dict[str, str]:
    """A stack's outputs by their names."""
    [description] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = description.get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def deploy_example(
    workshop: Workshop, stack: str, name: str, parameters: Mapping[str, str]
) -> dict[str, str]:
    """`sam deploy` of examples/<name> as written; returns the stack's outputs."""
    workshop.sam_deploy(
        stack,
        *("--template-file", str(workshop.root / "examples" / name / "template.yaml")),
        *("--config-env", "local"),
        *("--parameter-overrides", *(f'{name}="{value}"' for name, value in parameters.items())),
    )
    return outputs_of(stack)


def orders_url(aws: LocalAws, outputs: Mapping[str, str]) -> str:
    """The protected route of an example, by its path: MiniStack's names of APIs do not resolve."""
    return f"{aws.endpoint}/restapis/{outputs['Stage']}/_user_request_/orders"


def status_of(url: str, token: str | None) -> int:
    """What a route answers to this token, or without one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return urllib3.request("GET", url, headers=headers, timeout=_ANSWER_SECONDS).status
