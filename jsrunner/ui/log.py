"""The log of a run: lines of scripts' consoles, and jsrunner's own, in k6's formats."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TextIO

from jsrunner.errors import UsageError
from jsrunner.options.numbers import quote
from jsrunner.timestamps import rfc3339_ns
from jsrunner.ui.destination import LEVELS, LogFile, Loki, parse_destination

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.ui.errors import ErrorCounts
    from jsrunner.ui.loki import LokiPusher

_SHORT: Final = {
    "debug": ("DEBU", "37"),
    "info": ("INFO", "36"),
    "warning": ("WARN", "33"),
    "error": ("ERRO", "31"),
}
#: Characters that Go's JSON escapes besides the usual, so that every reader sees a single line.
_HTML = "[<>&\u2028\u2029]"
_PLAIN = re.compile(r"[a-zA-Z0-9\-._/@^+]*\Z")
#: The text in place of a secret.
REDACTED: Final = "***SECRET_REDACTED***"
#: Width of the message before fields on a terminal.
_MESSAGE_WIDTH: Final = 44


class Logger:
    """Writes records (see `coordinator.log`). Made and closed by a command, used in its main thread."""

    def __init__(
        self,
        *,
        format: str = "text",
        output: str = "stderr",
        verbose: bool = False,
        no_color: bool = False,
        ns_timestamps: bool = False,
        console_output: str | None = None,
    ) -> None:
        """Open a log.

        Args:
            format: text, json or raw.
            output: The destination, as for `--log-output`.
            verbose: True to write debug records.
            no_color: True to write no colors on a terminal.
            ns_timestamps: True if times have nanoseconds instead of whole seconds.
            console_output: A file for the lines of scripts' consoles, instead of the destination.

        Raises:
            UsageError: The destination does not exist, or cannot be opened.
        """
        self._format = format
        self._level = LEVELS["debug" if verbose else "info"]
        self._started = time.time_ns()
        self._fraction = ns_timestamps
        self._stream: TextIO | None = None
        self._pusher: LokiPusher | None = None
        self._open(output)
        self._console = _open_file(console_output) if console_output else None
        tty = self._stream is not None and self._stream.isatty()
        #: True if records are shown as on a terminal, which needs its colors, as in k6.
        self._tty = tty and not no_color and format not in ("json", "raw")
        self._failed: list[TextIO] = []
        #: Takes a line that belongs above a live display; False if the log is to write it itself.
        self.above: Callable[[str], bool] | None = None
        #: Called with each record, secrets redacted: level, text, nanoseconds since the epoch, fields.
        self.listeners: list[Callable[[str, str, int, dict[str, object]], None]] = []
        #: Counts the records, secrets redacted, for a live display.
        self.errors: ErrorCounts | None = None
        self._secrets: set[str] = set()
        self._secret: re.Pattern[str] | None = None

    def _open(self, output: str) -> None:
        destination = parse_destination(output)
        if isinstance(destination, Loki):
            from jsrunner.ui.loki import LokiPusher

            self._pusher = LokiPusher(destination, report=Logger().log)
        elif isinstance(destination, LogFile):
            self._stream = _open_file(destination.path)
        elif destination != "none":
            self._stream = sys.stderr if destination == "stderr" else sys.stdout
        if not isinstance(destination, str):
            self._level = max(self._level, destination.level)

    @property
    def is_verbose(self) -> bool:
        """True if debug records are written to any destination."""
        return self._level <= LEVELS["debug"]

    @property
    def is_remote(self) -> bool:
        """True if the records go to another machine."""
        return self._pusher is not None

    def start(self) -> None:
        """Start the thread that a remote log needs: the process forks no more."""
        if self._pusher is not None:
            self._pusher.start()

    def redact(self, secret: str) -> None:
        """Show no record with this text any more, wherever in the record it is."""
        if not secret or secret in self._secrets:
            return
        self._secrets.add(secret)
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, longest_first)))

    def redacted(self, text: str) -> str:
        """Return a text without the secrets that no record shows."""
        shown: str = self._redacted(text)
        return shown

    def _redacted(self, value: Any) -> Any:
        if self._secret is None:
            return value
        text = str(value)
        shown = self._secret.sub(REDACTED, text)
        return value if shown == text else shown

    def log(self, level: str, text: str, when: int | None = None, /, **fields: object) -> None:
        """Write a record.

        Args:
            level: debug, info, warning or error.
            text: The message.
            when: Nanoseconds since the epoch; None for now.
            fields: Further fields of the record.
        """
        if LEVELS[level] < self._level:
            return
        moment = time.time_ns() if when is None else when
        is_console = fields.get("source") == "console"
        if self._secret is not None:
            text = self._redacted(text)
            fields = {self._redacted(key): self._redacted(value) for key, value in fields.items()}
        for listener in self.listeners:
            listener(level, text, moment, fields)
        if self.errors is not None:
            self.errors.add(level, text, fields)
        if self._console is not None and is_console:
            fields.pop("source", None)
            self._put(self._console, self._line(level, text, moment, fields, tty=False))
            return
        if self._pusher is not None:
            self._pusher.put(level, text, moment, fields)
        if self._stream is None:
            return
        line = self._line(level, text, moment, fields, tty=self._tty)
        if self.above is None or not self.above(line):
            self._put(self._stream, line)

    def shares(self, stream: TextIO) -> bool:
        """Return True if records go to the same terminal as `stream`."""
        if self._stream is None or not (self._stream.isatty() and stream.isatty()):
            return False
        own, other = (os.fstat(file.fileno()).st_rdev for file in (self._stream, stream))
        return own == other

    def _put(self, stream: TextIO, line: str) -> None:
        """Write a line. A destination that fails is reported once; the run goes on without it."""
        if stream in self._failed:
            return
        try:
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError) as error:
            self._failed.append(stream)
            if stream not in (sys.stderr, sys.stdout):
                reason = (getattr(error, "strerror", None) or str(error)).lower()
                with contextlib.suppress(OSError, ValueError):
                    print(f"jsrunner: writing to {stream.name} failed: {reason}", file=sys.stderr)

    def _line(self, level: str, text: str, moment: int, fields: dict[str, object], *, tty: bool) -> str:
        if self._format == "json":
            import orjson  # few logs are JSON

            record = {**fields, "level": level, "msg": text, "time": self._time(moment)}
            line = orjson.dumps(record, option=orjson.OPT_SORT_KEYS, default=str).decode()
            return re.sub(_HTML, lambda match: f"\\u{ord(match[0]):04x}", line)
        if self._format == "raw":
            return text
        short, color = _SHORT[level]
        paint = f"\x1b[{color}m{{}}\x1b[0m".format if tty else str
        pairs = "".join(f" {paint(key)}={_quoted(str(value))}" for key, value in sorted(fields.items()))
        if tty:
            seconds = (moment - self._started) // 10**9
            return f"{paint(short)}[{seconds:04d}] {text.rstrip():{_MESSAGE_WIDTH}}{pairs}"
        message = f" msg={_quoted(text)}" if text else ""
        return f'time="{self._time(moment)}" level={level}{message}{pairs}'

    def _time(self, moment: int) -> str:
        """RFC 3339 in the local zone."""
        return rfc3339_ns(moment if self._fraction else moment - moment % 10**9)

    def close(self) -> None:
        """Send or write the rest and close the log."""
        if self._pusher is not None:
            self._pusher.close()
        for stream in (self._console, self._stream):
            if stream is not None and stream not in (sys.stderr, sys.stdout):
                with contextlib.suppress(OSError):  # which was told when it was written to
                    stream.close()


def _quoted(text: str) -> str:
    """As logfmt wants it: quoted only if it must be."""
    if text and _PLAIN.match(text):
        return text
    return quote(text)


def _open_file(path: str) -> TextIO:
    try:
        return open(path, "a", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"open {path}: {(error.strerror or '').lower()}") from None
