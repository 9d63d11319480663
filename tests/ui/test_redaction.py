"""Secrets that scripts were given are not in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.ui.log import REDACTED, Logger

if TYPE_CHECKING:
    from pathlib import Path


def log(path: Path, format: str = "text") -> Logger:
    return Logger(format=format, output=f"file={path}")


def test_wherever_it_is(tmp_path: Path) -> None:
    for format in ("text", "json", "raw"):
        path = tmp_path / format
        logger = log(path, format)
        logger.log("info", "before: hush")
        logger.redact("hush")
        logger.redact("")
        logger.log("error", "after: hush, HUSH and hush", hint="hush", number=5, **{"a hush": "x"})
        logger.close()
        before, after = path.read_text().splitlines()
        assert "hush" in before
        assert "hush" not in after
        assert f"after: {REDACTED}, HUSH and {REDACTED}" in after


def test_the_longest_secret_first(tmp_path: Path) -> None:
    logger = log(tmp_path / "log", "raw")
    for secret in ("ab", "abc", "c|d", "abcd"):
        logger.redact(secret)
    logger.log("info", "abcd abc ab c|d c")
    logger.close()
    assert (tmp_path / "log").read_text() == f"{REDACTED} {REDACTED} {REDACTED} {REDACTED} c\n"


def test_console_output(tmp_path: Path) -> None:
    logger = Logger(format="raw", output="none", console_output=str(tmp_path / "console"))
    logger.redact("console")  # also the name of the field that says where a line comes from
    logger.log("info", "the console", source="console")
    logger.close()
    assert (tmp_path / "console").read_text() == f"the {REDACTED}\n"
