"""Chromium by Playwright: for tests of pages in a real browser."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

from playwright.sync_api import sync_playwright
from waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import ConsoleMessage, Error

Theme = Literal["light", "dark"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Return the browser's program: that of JSRUNNER_CHROMIUM, or an installed one; None if there is none."""
    return os.environ.get("JSRUNNER_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page.

    Playwright's event loop has a thread of its own: other tests run event loops in the main thread.
    """

    def __init__(self, program: str) -> None:
        self._complaints: list[str] = []
        self._thread = ThreadPoolExecutor(1, "playwright")
        self._do(lambda: self._launch(program))

    def _do(self, call: Callable[[], Any]) -> Any:
        return self._thread.submit(call).result()

    def _launch(self, program: str) -> None:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=program,
            args=["--disable-gpu", "--disable-dev-shm-usage"],
            timeout=DEADLINE * 1000,
        )
        self._page = self._browser.new_page()
        self._page.set_default_timeout(DEADLINE * 1000)
        self._protocol = self._page.context.new_cdp_session(self._page)
        self._page.on("console", self._note_message)
        self._page.on("pageerror", self._note_error)

    def _note_message(self, message: ConsoleMessage) -> None:
        self._complaints.append(f"{message.type}: {message.text} {message.location}")

    def _note_error(self, error: Error) -> None:
        self._complaints.append(str(error))

    def take_complaints(self) -> list[str]:
        """Return what pages have logged since the last call: errors and violations of policies among it."""
        self.evaluate("0")  # Playwright hands events over while it waits for an answer
        taken, self._complaints = self._complaints, []
        return taken

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        self._do(lambda: self._page.goto(url))

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, awaited."""
        return self._do(lambda: self._page.evaluate(expression))

    def wait(self, expression: str) -> None:
        """Wait until an expression is true. Playwright's own function would need a policy that allows `eval`."""
        deadline = time.monotonic() + DEADLINE
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"{expression} has not come true; {self._complaints}"
            time.sleep(0.05)

    def size(self, width: int, height: int = 900) -> None:
        """Set the size of the window in CSS pixels."""
        self._do(lambda: self._page.set_viewport_size({"width": width, "height": height}))

    def phone(self, width: int, height: int) -> None:
        """Lay pages out as a phone with a screen of this size, until the next `size`."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        self._do(lambda: self._protocol.send("Emulation.setDeviceMetricsOverride", screen))

    def theme(self, name: Theme) -> None:
        """Prefer a theme."""
        self._do(lambda: self._page.emulate_media(color_scheme=name))

    def press(self, key: str) -> None:
        """Press a key of the keyboard, e.g. `Tab`."""
        self._do(lambda: self._page.keyboard.press(key))

    @contextlib.contextmanager
    def paper(self, theme: Theme) -> Iterator[None]:
        """Lay the page out for paper, by a reader who prefers a theme."""
        self._do(lambda: self._page.emulate_media(media="print", color_scheme=theme))
        yield
        self._do(lambda: self._page.emulate_media(media="screen"))

    def pdf(self) -> bytes:
        """Return the page as PDF."""
        pdf: bytes = self._do(self._page.pdf)
        return pdf

    def close(self) -> None:
        """End the browser."""
        self._do(self._browser.close)
        self._do(self._playwright.stop)
        self._thread.shutdown()
