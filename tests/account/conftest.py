"""What the rules of a real account share with the unit tests."""

from tests.unit.conftest import site

__all__ = ["site"]
