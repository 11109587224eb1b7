"""template.yaml as it is written, its intrinsic functions in their long form."""

from collections.abc import Mapping
from typing import Any

from cfnlint.decode import cfn_yaml

from tests.definition import ROOT

TEMPLATE: Mapping[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))
RESOURCES: Mapping[str, Any] = TEMPLATE["Resources"]
