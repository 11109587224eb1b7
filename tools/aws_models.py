"""The AWS models in functions/keyturn/aws/models: botocore's own, less what this product never calls.

    python -m tools.aws_models      writes them anew (`make lock` does, after another boto3)

Reading botocore's whole models of SSM and KMS and the endpoints of four hundred services is a sixth
of a cold start.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from keyturn.aws.clients import MODELS, SERVICES

OPERATIONS = {
    "kms": {
        "CreateKey",
        "DescribeKey",
        "DisableKey",
        "GetKeyPolicy",
        "GetPublicKey",
        "ListGrants",
        "ScheduleKeyDeletion",
        "Sign",
        "Verify",
    },
    "ssm": {
        "DeleteParameters",
        "GetParameters",
        "GetParametersByPath",
        "ListTagsForResource",
        "PutParameter",
    },
}


def trimmed() -> dict[str, Any]:
    """Each model by its path below the folder."""
    loader = Loader()
    models = {"endpoints.json": _endpoints(loader.load_data("endpoints"), loader)}
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        whole = loader.load_service_model(service, "service-2", version)
        models[f"{service}/{version}/service-2.json"] = _service(whole, operations)
    return models


def _service(whole: dict[str, Any], operations: set[str]) -> dict[str, Any]:
    called = {name: whole["operations"][name] for name in sorted(operations)}
    names: set[str] = set()
    waiting = [shape for operation in called.values() for shape in _shapes(operation)]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += _shapes(whole["shapes"][name])
    shapes = {name: whole["shapes"][name] for name in sorted(names)}
    model = {**whole, "operations": called, "shapes": shapes}
    undocumented: dict[str, Any] = _without_documentation(model)
    return undocumented


def _shapes(node: Any) -> Iterator[str]:
    """The names of the shapes that an operation or a shape refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for inner in node.values():
            yield from _shapes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _shapes(inner)


def _without_documentation(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            name: _without_documentation(inner)
            for name, inner in node.items()
            if not (name == "documentation" and isinstance(inner, str))
        }
    if isinstance(node, list):
        return [_without_documentation(inner) for inner in node]
    return node


def _endpoints(whole: dict[str, Any], loader: Loader) -> dict[str, Any]:
    prefixes = {"iam"}  # the one global service that the command calls
    for service in SERVICES:
        version = loader.determine_latest_version(service, "service-2")
        model = loader.load_service_model(service, "service-2", version)
        prefixes.add(model["metadata"]["endpointPrefix"])
    partitions = [
        {
            **partition,
            "services": {
                name: service for name, service in partition["services"].items() if name in prefixes
            },
        }
        for partition in whole["partitions"]
    ]
    return {**whole, "partitions": partitions}


def text(model: Any) -> str:
    """As it is stored: one line."""
    return json.dumps(model, separators=(",", ":")) + "\n"


def main() -> None:
    """Write them."""
    for name, model in trimmed().items():
        path = Path(MODELS) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(model))


if __name__ == "__main__":
    main()
