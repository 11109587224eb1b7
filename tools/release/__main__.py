"""`make package`: the release in build/package, for the processor and Python of the template's defaults."""

from tests.definition import ROOT
from tests.template import TEMPLATE
from tools.release.package import SUMS, package

release = package(
    ROOT / "build/package",
    TEMPLATE["Parameters"]["Architecture"]["Default"],
    TEMPLATE["Parameters"]["PythonRuntime"]["Default"],
)
print(f"{release.relative_to(ROOT)}:")
print((release / SUMS).read_text(), end="")
