"""A deployment is the stack itself, with settings that are parsed when first used."""

from typing import Any

import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.settings import InvalidSettings
from keyturn.keyset.timing import Times

ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack/demo/1"
OUTPUTS = {"BucketName": "bucket", "Issuer": "", "TokenUrl": "", "ApiStage": "own/v1"}


@pytest.fixture
def parameters(demo_times: Times) -> dict[str, str]:
    """A stack's parameters, with a deletion window that KMS refuses."""
    times = {
        "".join(map(str.capitalize, name.split("_"))): str(getattr(demo_times, name))
        for name in Times.__dataclass_fields__
    }
    others = {"Audience": "orders", "RouteScopes": "", "FlushTargets": "", "DeletionWindow": "3"}
    return {**times, **others}


def test_writes_of_the_keyset_time_out_within_the_stack_s_own_write_delay(region, parameters):
    """`repair` and `revoke --direct` write to the keyset as the functions do (docs/time.md)."""
    deployment = Deployment("demo", ARN, {}, {**parameters, "WriteDelay": "30"})
    config: Any = deployment.clients.ssm_timed.meta.config
    assert (config.connect_timeout, config.read_timeout) == (10, 10)
    assert config.retries["total_max_attempts"] == 1


def test_commands_without_settings_work_on_a_stack_with_invalid_ones(region, parameters):
    """The problem is reported only when the settings are needed."""
    deployment = Deployment("demo", ARN, OUTPUTS, parameters)
    assert deployment.client_documents.parameter_name("shop") == "/keyturn/demo/clients/shop"
    assert deployment.kms
    assert deployment.keysets
    with pytest.raises(InvalidSettings, match=r"^deletion_window: should be from 7 to 30 days$"):
        _ = deployment.times
