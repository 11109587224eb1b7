"""One page in the machine's own Chromium, headless, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


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


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser of two pixels to a point; it is ended, whatever happens."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield Browser(browser.new_page(device_scale_factor=2))
        finally:
            browser.close()
