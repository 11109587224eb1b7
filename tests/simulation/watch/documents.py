"""What teams declared for each API or client, and since when: every version of every document."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tests.cloud.ssm import Ssm

Meaning = TypeVar("Meaning")


@dataclass
class Documents(Generic[Meaning]):
    """The documents below one path, each by its meaning; `absent` is the meaning of no document."""

    path: str
    absent: Meaning
    ssm: Ssm
    now: Callable[[], float]
    _versions: dict[str, list[tuple[float, Meaning]]] = field(default_factory=dict)

    def declare(self, name: str, text: str | None, meaning: Meaning) -> None:
        """A team writes the document, or deletes it (None)."""
        parameter = f"{self.path}/{name}"
        if text is None:
            self.ssm.delete([parameter])
        else:
            self.ssm.declare(parameter, text)
        self._versions.setdefault(name, []).append((self.now(), meaning))

    def since(self, name: str, instant: float) -> list[Meaning]:
        """The meaning at that instant, and every later one."""
        versions = [(float("-inf"), self.absent), *self._versions.get(name, [])]
        older = [meaning for at, meaning in versions if at <= instant]
        return [older[-1], *(meaning for at, meaning in versions if at > instant)]
