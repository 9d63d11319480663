"""Records of runs, and a browser for their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from chromium import Chromium, chromium
from report_lines import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., str]:
    """Writes a record of these lines; its path."""

    def write(listed: list[dict[str, Any]], name: str = "run.jsr") -> str:
        return written(tmp_path / name, listed)

    return write


@pytest.fixture(scope="session")
def browser_process() -> Iterator[Chromium]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium, or name one in JSRUNNER_CHROMIUM")
    browser = Chromium(program)
    yield browser
    browser.close()


@pytest.fixture
def browser(browser_process: Chromium) -> Iterator[Chromium]:
    """A browser; errors and violations of the page's policy fail the test."""
    browser_process.take_complaints()
    browser_process.theme("light")
    browser_process.size(1200)
    yield browser_process
    assert browser_process.take_complaints() == []
