"""The trimmed AWS models are what botocore says, of what this product calls."""

import re
from pathlib import Path

import pytest

from keyturn.aws.clients import MODELS
from tools.aws_models import OPERATIONS, text, trimmed

SOURCES = Path(MODELS).parent


@pytest.mark.parametrize("name", trimmed())
def test_a_model_is_botocores(name):
    """After another boto3 they are written anew: `make lock`."""
    assert (Path(MODELS) / name).read_text() == text(trimmed()[name])


def test_no_other_model_is_there():
    """What is not made from botocore's does not belong here."""
    files = Path(MODELS).rglob("*.json")
    assert {str(path.relative_to(MODELS)) for path in files} == set(trimmed())


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_call_is_in_its_model(service):
    """What is called under its AWS name in this package can be called."""
    code = "".join(path.read_text() for path in sorted(SOURCES.rglob("*.py")))
    called = set(re.findall(rf'translate_errors\("{service}:(\w+)"\)', code))
    assert called == OPERATIONS[service]
