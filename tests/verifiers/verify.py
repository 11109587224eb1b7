"""A Python verifier as a process: a JSON line in, a JSON line out, and only the lines move its clock."""

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import time_machine


def load(path: str) -> Any:
    """The module in that file."""
    spec = importlib.util.spec_from_file_location("lines", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refusal(verify: Callable[[str], object], token: str) -> str | None:
    """The name of what the verifier raises, None if it accepts the token."""
    try:
        verify(token)
    except Exception as error:
        return type(error).__name__
    return None


def main(path: str) -> None:
    """Answer until the input ends."""
    lines = load(path)
    verify: Callable[[str], object] | None = None
    with time_machine.travel(0, tick=False) as clock:
        time.monotonic = time.time
        for line in sys.stdin:
            request = json.loads(line)
            clock.move_to(request["at"])
            if "token" in request:
                assert verify
                answer = refusal(verify, request["token"])
            else:
                verify = lines.verifier(
                    request["issuer"], request["audience"], **request["options"]
                )
                answer = None
            print(json.dumps({"refusal": answer}), flush=True)


main(sys.argv[1])
