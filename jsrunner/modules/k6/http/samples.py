"""Samples of HTTP requests: nine metrics, tagged alike, taken with each response or failure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from jsrunner.metrics.registry import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsrunner.engine.recorder import Row, TagSet
    from jsrunner.modules.context import ProcessContext
    from jsrunner.transport.exchange import Exchange

#: Statuses that are no failures; None: none is judged.
Expected = frozenset[int] | None

_METRICS: Final = tuple(
    BUILTIN[name]
    for name in (
        "http_reqs", "http_req_duration", "http_req_blocked", "http_req_connecting",
        "http_req_tls_handshaking", "http_req_sending", "http_req_waiting", "http_req_receiving",
        "http_req_failed",
    )
)  # fmt: skip
#: The table of rows is emptied when it has so many entries (the recorder keeps the series).
_MOST_CACHED: Final = 10_000


def expectation(exact: Iterable[int], ranges: Iterable[tuple[int, int]]) -> frozenset[int]:
    """The statuses that http.expectedStatuses names."""
    found = set(exact)
    for lowest, highest in ranges:
        found.update(range(max(lowest, 0), min(highest, 999) + 1))
    return frozenset(found)


class Samples:
    """Takes the samples of a process's requests."""

    def __init__(self, process: ProcessContext) -> None:
        self._recorder = process.recorder
        self._system = process.system_tags
        self._with_ip = "ip" in process.system_tags
        self._rows: dict[tuple[Any, ...], Row] = {}

    def take(
        self,
        exchange: Exchange,
        tag_set: TagSet,
        tags: dict[str, str] | None,
        method: str,
        url: str,
        name: str | None,
        expected: Expected,
        metadata: dict[str, str] | None,
    ) -> None:
        """Take the samples of an exchange.

        `url` is the clean one, `name` that of a URL template; `tags` are the request's own.
        """
        failure, head = exchange.failure, exchange.head
        if failure is None and head is not None:
            status, proto = head.status, head.proto
        else:
            status, proto = 0, ""
        as_expected = None if expected is None else status in expected
        more = None if tags is None else tuple(tags.items())
        ip = exchange.peer[0] if self._with_ip else None
        key = (tag_set, url, status, method, more, name, failure, proto, exchange.tls, as_expected, ip)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= _MOST_CACHED:
                self._rows.clear()
            merged = self._tags(exchange, tag_set, tags, method, url, name, as_expected)
            metrics = _METRICS if expected is not None else _METRICS[:-1]
            row = self._rows[key] = self._recorder.row(metrics, merged)
        blocked, connecting, tls, sending, waiting, receiving = exchange.timings
        values: tuple[float, ...] = (
            1,
            (sending + waiting + receiving) / 1000,
            blocked / 1000,
            connecting / 1000,
            tls / 1000,
            sending / 1000,
            waiting / 1000,
            receiving / 1000,
        )
        if as_expected is not None:
            values += (0 if as_expected else 1,)
        row.add(values, time.time(), metadata)

    def _tags(
        self,
        exchange: Exchange,
        tag_set: TagSet,
        tags: dict[str, str] | None,
        method: str,
        url: str,
        name: str | None,
        as_expected: bool | None,
    ) -> dict[str, str]:
        system, merged = self._system, {**tag_set.tags, **(tags or {})}

        def put(tag: str, value: str) -> None:
            if tag in system:
                merged[tag] = value

        if "name" not in merged and name is not None:
            put("name", name)
        if "name" in merged:  # a name stands for many URLs, and so does the tag `url` then
            put("url", merged["name"])
        else:
            put("name", url)
            put("url", url)
        put("method", method)
        failure, head = exchange.failure, exchange.head
        if failure is not None:
            put("error", failure.message)
            put("error_code", str(failure.code))
            put("status", "0")
        else:
            assert head is not None
            put("status", str(head.status))
            if head.status >= 400:
                put("error_code", str(1000 + head.status))
            put("proto", head.proto)
            if exchange.tls is not None:
                put("tls_version", exchange.tls[0])
                put("ocsp_status", "unknown")
        if self._with_ip and exchange.peer[0]:
            merged["ip"] = exchange.peer[0]
        if as_expected is not None:
            put("expected_response", "true" if as_expected else "false")
        return merged
