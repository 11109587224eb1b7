"""CheckSettings: the custom resource from which every other function takes its times.

CloudFormation compares strings only, so the arithmetic of docs/time.md is done here, before
anything exists that could be wrong.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from keyturn.aws.custom_resource import CustomResource, answer
from keyturn.aws.settings import Settings


def run(event: CustomResource) -> Mapping[str, str]:
    """The attribute `Times`; raises InvalidSettings or ContradictorySettings."""
    if event.request_type == "Delete":
        return {}
    settings = Settings.checked(event.properties)
    return {"Times": json.dumps(asdict(settings.times), separators=(",", ":"))}


def handler(event: Mapping[str, Any], _context: object) -> None:
    """CloudFormation's call."""
    answer(event, run)
