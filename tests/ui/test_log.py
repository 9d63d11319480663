"""The log on a terminal."""

from __future__ import annotations

import os
import pty
import sys
from typing import TYPE_CHECKING, TextIO

import pytest

from jsrunner.ui.log import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def terminals() -> Iterator[tuple[TextIO, TextIO]]:
    """Two of them."""
    pairs = [pty.openpty() for _ in range(2)]
    streams = [os.fdopen(slave, "w") for _, slave in pairs]
    yield streams[0], streams[1]
    for (master, _), stream in zip(pairs, streams, strict=True):
        stream.close()
        os.close(master)


def above(logger: Logger) -> list[str]:
    """Where the lines that a display takes go."""
    lines: list[str] = []
    logger.above = lambda line: lines.append(line) is None
    return lines


def test_fields_are_coloured(terminals: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminals[0])
    logger = Logger()
    lines = above(logger)
    logger.log("warning", "be careful\n", source="console", error="a b=c")
    assert lines == [
        "\x1b[33mWARN\x1b[0m[0000] be careful                                  "
        ' \x1b[33merror\x1b[0m="a b=c" \x1b[33msource\x1b[0m=console'
    ]


def test_without_colour(terminals: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminals[0])
    logger = Logger(no_color=True)
    lines = above(logger)
    logger.log("info", "hello", source="console")
    assert lines == ["INFO[0000] hello                                        source=console"]


def test_a_display_that_takes_no_line(
    terminals: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = Logger()
    logger.above = lambda line: False
    logger.log("info", "hello")
    assert capfd.readouterr().err.endswith("level=info msg=hello\n")


def test_shares(terminals: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = terminals
    assert not Logger().shares(one)
    assert not Logger(output="none").shares(one)
    monkeypatch.setattr(sys, "stderr", one)
    assert Logger().shares(one)
    assert not Logger().shares(other)
