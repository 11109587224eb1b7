"""What a deployment can be told: grouped, described with its bounds, and put together so that it fits."""

import json
import re
import tomllib

import pytest

from keyturn.aws.settings import Settings
from keyturn.keyset.timing import BOUNDS
from tests.definition import ROOT, snake
from tests.template import TEMPLATE

PARAMETERS = TEMPLATE["Parameters"]
GROUPS = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
PUBLISHED = TEMPLATE["Metadata"]["AWS::ServerlessRepo::Application"]


def test_each_parameter_is_in_one_group():
    """Each parameter is in exactly one group, as the console shows them."""
    grouped = [name for group in GROUPS for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_description_ends_with_the_bounds(name):
    """Each description ends with the bounds, because the console does not show MinValue and MaxValue."""
    parameter = PARAMETERS[name]
    assert parameter["Description"]
    if "MinValue" in parameter:
        bounds = f"{parameter['MinValue']:,} to {parameter['MaxValue']:,}."
        assert parameter["Description"].endswith(f" {bounds}")


@pytest.mark.parametrize("environment", ["default", "dev", "prod"])
def test_what_samconfig_deploys_is_not_refused(environment):
    """The template's defaults and the environment's own parameters meet the rules of docs/time.md."""
    overrides = CONFIG[environment]["global"]["parameters"]["parameter_overrides"]
    overridden = dict(override.split("=") for override in overrides)
    assert overridden.keys() <= PARAMETERS.keys()
    values = {name: overridden.get(name, member["Default"]) for name, member in PARAMETERS.items()}
    for name, value in values.items():
        allowed = PARAMETERS[name].get("AllowedValues", [value])
        assert value in map(str, allowed) or value in allowed, name
    fields = {snake(name): str(value) for name, value in values.items()}
    times = json.dumps({name: int(fields[name]) for name in BOUNDS})
    ours = {"stack": "s", "bucket": "b", "role_prefix": "arn:aws:iam::123456789012:role/s/"}
    Settings.from_texts({**fields, **ours, "times": times})


def test_the_application_repository_takes_it():
    """Source: AWS SAM Developer Guide, "AWS SAM template Metadata section properties"."""
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", PUBLISHED["Name"])
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", PUBLISHED["Author"])
    assert 0 < len(PUBLISHED["Description"]) <= 256
    assert (ROOT / PUBLISHED["LicenseUrl"]).exists()
    assert (ROOT / PUBLISHED["ReadmeUrl"]).exists()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert PUBLISHED["SemanticVersion"] == project["version"]
    assert PUBLISHED["SpdxLicenseId"] == project["license"]
