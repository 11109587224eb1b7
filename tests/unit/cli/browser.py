"""A headless Chromium over its debugging pipe (Chrome DevTools Protocol): no port, no driver."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Browser:
    """One page; `events` are all that it told."""

    def __init__(self, to: Any, of: Any) -> None:
        self._to, self._of, self._sent = to, of, 0
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str | None = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    _session: str | None = None

    def show(self, page: Path, *, width: int, dark: bool = False) -> None:
        """Load a page on a screen of this width, and wait until it is there."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 2, "mobile": width < 700}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self._call("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._read()

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression is."""
        told = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return told["result"]["value"]

    def picture(self) -> bytes:
        """The whole page as PNG."""
        told = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(told["data"])

    def requests(self) -> list[str]:
        """Every URL that the page asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[Any]:
        """Console errors, exceptions, and what the browser logged."""
        loud = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}
        return [event for event in self.events if event["method"] in loud]

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._sent += 1
        asked = {"id": self._sent, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        self._to.write(json.dumps(asked).encode() + b"\0")
        self._to.flush()
        while True:
            told = self._read()
            if told.get("id") == self._sent:
                assert "error" not in told, told
                return told["result"]

    def _read(self) -> dict[str, Any]:
        text = b""
        while not text.endswith(b"\0"):
            byte = self._of.read(1)
            assert byte, "Chromium is gone"
            text += byte
        told = json.loads(text[:-1])
        if "method" in told:
            self.events.append(told)
        return told


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; it is ended, whatever happens. It listens on fd 3, tells on 4."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
    arguments = [str(CHROMIUM), *_FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        ["sh", "-c", command, "sh", *arguments],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        with os.fdopen(ours_out, "wb") as to, os.fdopen(ours_in, "rb", buffering=0) as of:
            yield Browser(to, of)
    finally:
        process.terminate()
        process.wait()
