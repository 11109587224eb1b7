"""What operators do to the stack meanwhile: rotations, and emergencies with the command."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from keyturn.aws.executions import RUNNING
from keyturn.aws.operator.deployment import Deployment
from tools.command import KEYTURN
from tools.demo.story import rotation_of

_MID_ROTATION = (8.0, 20.0, 35.0, 50.0)  # seconds after a rotation's start, in turns
_ALL = 4  # every fourth emergency revokes every live key


@dataclass(frozen=True, order=True)
class Action:
    """Something to start, in seconds from the beginning; no flag means a rotation."""

    at: float
    revoke: str = ""


def schedule(seconds: float, rotations: int, emergencies: int) -> list[Action]:
    """Rotations at even intervals; emergencies in between, most while a rotation is on its way."""
    pace = seconds / max(rotations, 1)
    actions = [Action(pace * number) for number in range(rotations)]
    for number in range(emergencies):
        start = pace * int(rotations * (number + 0.5) / emergencies)
        offset = _MID_ROTATION[number % len(_MID_ROTATION)] % max(pace, 1)
        flag = "--all" if number % _ALL == _ALL - 1 else "--active"
        actions.append(Action(start + offset, flag))
    return sorted(actions)


@dataclass
class Command:
    """A `keyturn revoke` that was started."""

    flag: str
    process: "subprocess.Popen[str]"
    log: Path


@dataclass
class Operator:
    """Starts what is due; an action waits while no key is active."""

    deployment: Deployment
    actions: list[Action]
    logs: Path
    rotations: int = 0
    commands: list[Command] = field(default_factory=list)

    def act(self, elapsed: float) -> None:
        """Start the next action if it is due."""
        if not self.actions or self.actions[0].at > elapsed:
            return
        active = self.deployment.keyset.active
        if active is None:
            return
        action = self.actions[0]
        if action.revoke:
            self._revoke(action.revoke)
        else:
            self.deployment.start(rotation_of(active.kid, "soak"))
            self.rotations += 1
        self.actions.pop(0)

    def _revoke(self, flag: str) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"revoke-{len(self.commands):02d}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [str(KEYTURN), "revoke", flag, "--reason", "soak", "--yes", "--json"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.commands.append(Command(flag, process, log))

    def settle(self, patience: float) -> list[str]:
        """Wait for everything to end; returns what still runs after `patience` seconds."""
        until = time.monotonic() + patience
        while (running := list(self._running())) and time.monotonic() < until:
            time.sleep(2)
        for command in self.commands:
            if command.process.poll() is None:
                command.process.kill()
        return running

    def _running(self) -> Iterator[str]:
        machine = self.deployment.outputs["StateMachineArn"]
        yield from (e.arn for e in self.deployment.executions.latest(machine, RUNNING))
        yield from (str(c.log) for c in self.commands if c.process.poll() is None)
