"""The trimmed AWS models are botocore's, as far as this product makes calls."""

import re
from pathlib import Path

import pytest

from keyturn.aws.clients import MODELS
from tools.aws_models import OPERATIONS, text, trimmed

SOURCES = Path(MODELS).parent


@pytest.mark.parametrize("name", trimmed())
def test_a_model_is_botocore_s(name):
    """After an update of boto3, `make lock` writes it again."""
    assert (Path(MODELS) / name).read_text() == text(trimmed()[name])


def test_there_are_no_other_models():
    """Each is made from one of botocore's."""
    files = Path(MODELS).rglob("*.json")
    assert {str(path.relative_to(MODELS)) for path in files} == set(trimmed())


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_call_is_in_its_model(service):
    """This package names each call where it translates its errors."""
    code = "".join(path.read_text() for path in sorted(SOURCES.rglob("*.py")))
    called = set(re.findall(rf'translate_errors\("{service}:(\w+)"\)', code))
    assert called == OPERATIONS[service]
