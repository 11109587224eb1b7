"""What holds for every test."""

import os

import pytest

from keyturn.cli.local import LocalAws


@pytest.fixture(scope="session", autouse=True)
def no_real_aws() -> None:
    """No test reaches a real account, whatever the shell it is started from has set."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update({**LocalAws("").environ, "AWS_CONFIG_FILE": os.devnull})
    del os.environ["AWS_ENDPOINT_URL"]
