"""The log for Grafana Loki: batches for its push API, sent by a thread of their own.

A record never waits for the network: it is put into a queue. Records above the limit of a period are
dropped and counted, as in k6. A failure of pushing is reported once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsrunner.ui.destination import Loki

#: Seconds that a push may take, and seconds for all records that are left at the end.
_PATIENCE: Final = 5.0


class LokiPusher:
    """Pushes the records of one log. `put` may be called by any thread."""

    def __init__(self, settings: Loki, report: Callable[[str, str], None]) -> None:
        self._settings = settings
        self._report = report
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, dict[str, str], str]] = []
        self._dropped = 0
        self._failed = False
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread that pushes. A fork after this would lose the thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="loki", daemon=True)
            self._thread.start()

    def put(self, level: str, text: str, moment: int, fields: Mapping[str, object]) -> None:
        """Queue a record; drop it if the period has its maximum.

        Args:
            level: debug, info, warning or error.
            text: The message.
            moment: Nanoseconds since the epoch.
            fields: Further fields of the record.
        """
        settings = self._settings
        labels = {key: str(value) for key, value in fields.items()}
        labels.update(settings.labels)
        labels["level"] = level
        if settings.allowed_labels is not None:
            others = sorted(labels.keys() - set(settings.allowed_labels))
            text += "".join(f" {key}={labels.pop(key)}" for key in others)
        data = text.encode("utf-8", "replace")
        if len(data) > settings.max_size:
            text = data[: settings.max_size].decode("utf-8", "ignore")
        with self._lock:
            if len(self._waiting) >= settings.limit:
                self._dropped += 1
            else:
                self._waiting.append((moment, labels, text))

    def close(self) -> None:
        """Push the records that are left, for at most `_PATIENCE` seconds."""
        self.start()
        self._ending.set()
        assert self._thread is not None
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._complain(f"it did not take the last records within {_PATIENCE:.0f} seconds")

    def _run(self) -> None:
        while not self._ending.wait(self._settings.push_period):
            self._push()
        self._push()

    def _push(self) -> None:
        with self._lock:
            records, self._waiting = self._waiting, []
            dropped, self._dropped = self._dropped, 0
        if dropped:
            records.append(self._about_dropped(dropped))
        if not records:
            return
        began = time.monotonic()
        body = _body(records)
        try:
            _post(self._settings, body)
        except Exception as error:
            self._complain(str(error))
            return
        if self._settings.profile:
            spent = (time.monotonic() - began) * 1000
            self._report("info", f"loki: count={len(records)} size={len(body)} sending={spent:.1f}ms")

    def _about_dropped(self, count: int) -> tuple[int, dict[str, str], str]:
        settings = self._settings
        text = (
            f"dropped {count} log messages because they were above the limit of {settings.limit} "
            f"messages / {settings.push_period:g}s"
        )
        return time.time_ns(), {**dict(settings.labels), "level": "warning"}, text

    def _complain(self, why: str) -> None:
        if not self._failed:
            self._failed = True
            url = self._settings.url
            self._report("error", f"Error while sending logs to loki at {url}: {why}")


def _body(records: list[tuple[int, dict[str, str], str]]) -> bytes:
    """Return the push API's JSON: a stream for each set of labels, with its records by time."""
    streams: dict[tuple[tuple[str, str], ...], list[tuple[str, str]]] = {}
    for moment, labels, text in sorted(records, key=lambda record: record[0]):
        streams.setdefault(tuple(sorted(labels.items())), []).append((str(moment), text))
    return orjson.dumps(
        {"streams": [{"stream": dict(labels), "values": values} for labels, values in streams.items()]}
    )


def _post(settings: Loki, body: bytes) -> None:
    from urllib.request import Request, urlopen

    headers = {"Content-Type": "application/json", **dict(settings.headers)}
    request = Request(settings.url, body, headers, method="POST")
    with urlopen(request, timeout=_PATIENCE) as response:
        response.read()
