"""The log on a terminal."""

from __future__ import annotations

import os
import pty
import re
import sys
from typing import TYPE_CHECKING, TextIO

import pytest

from jsrunner.ui.log import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from running import Process


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
    """The lines that a display gets."""
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


def test_without_colour_a_terminal_is_no_terminal(
    terminals: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminals[0])
    logger = Logger(no_color=True)
    lines = above(logger)
    logger.log("info", "hello there", 1_700_000_000_123_456_789, source="console")
    (line,) = lines
    assert line.startswith('time="2023-11-1')
    assert line.endswith(' level=info msg="hello there" source=console')


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a+b/c@d^e_f-g.h", "a+b/c@d^e_f-g.h"),
        ("a b", '"a b"'),
        ('"\\', r'"\"\\"'),
        ("\x1b[31mred\x1b[0m", r'"\x1b[31mred\x1b[0m"'),
        ("nul\x00 del\x7f", r'"nul\x00 del\x7f"'),
        ("\a\b\f\v\r\n\t", r'"\a\b\f\v\r\n\t"'),
        ("é 😀", '"é 😀"'),
        ("\u0085\u00a0\u200b\u2028\ufeff\U000e0001", r'"\u0085\u00a0\u200b\u2028\ufeff\U000e0001"'),
        ("\ud800", '"\ufffd"'),
    ],
)
def test_control_characters_are_never_written_raw(
    text: str, shown: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Logger().log("info", text, key=text)
    assert capfd.readouterr().err.endswith(f" level=info msg={shown} key={shown}\n")


@pytest.mark.parametrize("format", ["text", "json"])
def test_timestamps_with_nanoseconds(format: str, capfd: pytest.CaptureFixture[str]) -> None:
    """k6 2.3's notes: in text and in JSON; trailing zeros are cut (Go's RFC3339Nano)."""
    for ns_timestamps in (False, True):
        logger = Logger(format=format, ns_timestamps=ns_timestamps)
        logger.log("info", "x", 1_700_000_000_123_456_789)
        logger.log("info", "x", 1_700_000_000_120_000_000)
    times = re.findall(r":\d\d:(20[.0-9]*)", capfd.readouterr().err)
    assert times == ["20", "20", "20.123456789", "20.12"]


def test_flag_and_variable_for_nanoseconds(run: Callable[..., Process]) -> None:
    script = "export default function () { console.log('hi'); }"
    for done in (
        run(script, "--log-ns-timestamps"),
        run(script, env={"K6_LOG_NS_TIMESTAMPS": "true"}),
    ):
        (record,) = done.records()
        assert re.search(r":\d\d\.\d{3,9}(Z|[+-]\d\d:\d\d)$", record["time"])
    (record,) = run(script).records()
    assert "." not in record["time"]
