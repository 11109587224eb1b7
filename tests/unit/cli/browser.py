"""One page in Chromium, headless, driven by Playwright.

The machine's own is used if there is one, else that of the npm package @sparticuz/chromium, which carries
the binary for x86_64 Linux, and fonts.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

_TESTS = Path(__file__).parents[2]
_UNPACKED = _TESTS.parent / "build/chromium"
_OWN = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_PACKAGED = (platform.system(), platform.machine()) == ("Linux", "x86_64")
_UNPACK = "import('@sparticuz/chromium').then(m => m.default.executablePath())"
AVAILABLE = bool(_OWN) or _PACKAGED


class Browser:
    """One page; `requests` and `complaints` are what it asked for and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def show(self, page: Path, *, width: int, dark: bool = False) -> None:
        """Load a page on a screen of this width, and wait until it is there."""
        self._page.set_viewport_size({"width": width, "height": 900})
        self._page.emulate_media(color_scheme="dark" if dark else "light")
        self.requests.clear()
        self.complaints.clear()
        self._page.goto(page.as_uri())

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression is."""
        return self._page.evaluate(expression)

    def picture(self) -> bytes:
        """The whole page as PNG."""
        return self._page.screenshot(full_page=True)


def _unpacked() -> Path:
    """The package's binary; 190 MB, unpacked once. Its fonts are expected in /tmp."""
    _UNPACKED.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "TMPDIR": str(_UNPACKED)}
    subprocess.run(["node", "--eval", _UNPACK], cwd=_TESTS, env=environ, check=True)
    settings = _UNPACKED / "fonts/fonts.conf"
    settings.write_text(settings.read_text().replace(">/tmp/", f">{_UNPACKED}/"))
    return _UNPACKED / "chromium"


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser of two pixels to a point; it is ended, whatever happens."""
    environ: dict[str, str | float | bool]
    if _OWN:
        executable, environ = Path(_OWN), dict(os.environ)
    else:
        executable = _unpacked()
        environ = {**os.environ, "FONTCONFIG_PATH": str(executable.parent / "fonts")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox"], env=environ
        )
        try:
            yield Browser(browser.new_page(device_scale_factor=2))
        finally:
            browser.close()
