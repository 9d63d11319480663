"""The region at the end of a terminal, on a pty that pyte reads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
from typing import TYPE_CHECKING

import pyte
import pytest

from jsrunner.ui.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 20


class Screen:
    """A terminal of 20 columns and 10 rows on which a region is drawn."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w")
        self.region = Region(self.stream)
        self._screen = pyte.Screen(COLUMNS, 10)
        self._parser = pyte.ByteStream(self._screen)

    def read(self) -> bytes:
        data = b""
        while select.select([self._master], [], [], 0)[0]:
            data += os.read(self._master, 65536)
        self._parser.feed(data)
        return data

    def draw(self, *lines: str, columns: int = COLUMNS) -> bytes:
        """Draw a frame; the bytes that it took."""
        self.region.draw([(line, len(line)) for line in lines], columns)
        return self.read()

    def lines(self) -> list[str]:
        found = [line.rstrip() for line in self._screen.display]
        while found and not found[-1]:
            found.pop()
        return found

    @property
    def row(self) -> int:
        return int(self._screen.cursor.y)

    @property
    def hidden(self) -> bool:
        return bool(self._screen.cursor.hidden)

    def close(self) -> None:
        self.stream.close()
        os.close(self._master)


@pytest.fixture
def screen() -> Iterator[Screen]:
    found = Screen()
    yield found
    found.close()


def test_a_frame_replaces_the_one_before(screen: Screen) -> None:
    screen.draw("one", "two")
    screen.draw("1", "two", "three")
    assert screen.lines() == ["1", "two", "three"]
    screen.draw("4")
    assert screen.lines() == ["4"]
    assert screen.row == 1


def test_only_changed_lines_are_written(screen: Screen) -> None:
    screen.draw("same", "old", "same too")
    written = screen.draw("same", "new", "same too")
    assert b"same" not in written
    assert screen.lines() == ["same", "new", "same too"]


def test_texts_go_above(screen: Screen) -> None:
    screen.draw("one", "two")
    screen.region.put_above("first")
    screen.region.put_above("second\nthird")
    screen.draw("one", "two")
    assert screen.lines() == ["first", "second", "third", "one", "two"]


def test_a_wide_text_wraps_above(screen: Screen) -> None:
    screen.draw("one", "two")
    for width in (COLUMNS, 2 * COLUMNS, COLUMNS + 1):
        screen.region.put_above("x" * width)
        screen.draw("one", "two")
    assert "".join(screen.lines()[:-2]) == "x" * (4 * COLUMNS + 1)
    assert screen.lines()[-2:] == ["one", "two"]


def test_the_screen_scrolls(screen: Screen) -> None:
    screen.draw("one", "two")
    for number in range(30):
        screen.region.put_above(str(number))
        screen.draw("one", f"two {number}")
    assert screen.lines() == [*map(str, range(23, 30)), "one", "two 29"]


def test_what_the_terminal_echoes_is_wiped_off(screen: Screen) -> None:
    screen.draw("one")
    os.write(screen.stream.fileno(), b"^C")
    screen.draw("one")
    assert screen.lines() == ["one"]


def test_lines_that_a_narrower_terminal_has_wrapped_are_counted(screen: Screen) -> None:
    screen.draw("x" * 19, "y" * 5, "")
    written = screen.draw("x", columns=10)
    assert written.startswith(b"\r\x1b[4A\x1b[J")  # two rows of x, one of y, one empty


def test_the_cursor_is_hidden_while_there_is_a_region(screen: Screen) -> None:
    screen.region.close()
    assert screen.read() == b""
    screen.draw("one")
    assert screen.hidden
    screen.region.close()
    screen.read()
    assert not screen.hidden
    # Another region begins below.
    screen.draw("two")
    assert screen.lines() == ["one", "two"]
    assert screen.hidden


def test_texts_that_wait_when_it_closes_are_not_lost(screen: Screen) -> None:
    screen.draw("one")
    screen.region.put_above("late")
    screen.region.close()
    screen.read()
    assert screen.lines() == ["one", "late"]


def test_ready_unless_the_terminal_takes_nothing(screen: Screen) -> None:
    assert screen.region.ready()
    # Fill the terminal's buffer.
    descriptor = screen.stream.fileno()
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, b"x" * 1000)
    assert not screen.region.ready()
    screen.read()
    assert screen.region.ready()
