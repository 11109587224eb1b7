"""template.yaml as CloudFormation gets it: what SAM makes of it, its intrinsic functions unresolved."""

import copy
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tests.template import TEMPLATE

Template = dict[str, Any]
_TRANSLATE = ["build/env/ministack/bin/python", "-m", "tests.permissions.sam_translate"]
_ELSEWHERE = "s3://bucket/code"  # the translator takes nothing local


@cache
def synthesized() -> Mapping[str, Any]:
    """The template that is deployed."""
    return translate(lambda _template: None)


def translate(change: Callable[[Template], None]) -> Template:
    """What SAM makes of template.yaml after `change` was made to it."""
    template = json.loads(json.dumps(TEMPLATE))
    change(template)
    template["Globals"]["Function"]["CodeUri"] = _ELSEWHERE
    template["Resources"]["RotationStateMachine"]["Properties"]["DefinitionUri"] = _ELSEWHERE
    return translate_errors(template)


def translate_errors(template: Mapping[str, Any]) -> Template:
    """What SAM makes of a template with nothing local in it."""
    translation = subprocess.run(
        _TRANSLATE,
        input=json.dumps(template),
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    result: Template = json.loads(translation.stdout)
    return result


def mutated(change: Callable[[Template], None]) -> Template:
    """The deployed template after `change` was made to it."""
    mutant = copy.deepcopy(dict(synthesized()))
    change(mutant)
    return mutant
