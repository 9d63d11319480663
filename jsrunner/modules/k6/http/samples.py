"""Samples of HTTP requests: nine metrics, tagged alike, taken with each response or failure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from jsrunner.metrics.registry import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsrunner.engine.recorder import Row, TagSet
    from jsrunner.modules.context import ProcessContext
    from jsrunner.transport.exchange import Exchange
    from jsrunner.transport.failures import HttpFailure

#: Expected statuses; None if no status is judged.
Expected = frozenset[int] | None

_METRICS: Final = tuple(
    BUILTIN[name]
    for name in (
        "http_reqs", "http_req_duration", "http_req_blocked", "http_req_connecting",
        "http_req_tls_handshaking", "http_req_sending", "http_req_waiting", "http_req_receiving",
        "http_req_failed",
    )
)  # fmt: skip
#: Maximum entries of the table of rows, which is then emptied (the recorder keeps the series).
_MOST_CACHED: Final = 10_000


def expectation(exact: Iterable[int], ranges: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Return the statuses that http.expectedStatuses names."""
    statuses = set(exact)
    for lowest, highest in ranges:
        statuses.update(range(max(lowest, 0), min(highest, 999) + 1))
    return frozenset(statuses)


class Outcome(NamedTuple):
    """The facts of an exchange that tags show."""

    status: int
    proto: str = ""
    failure: HttpFailure | None = None
    tls: tuple[str, str] | None = None
    #: The address of the peer, "" if no tag has it.
    ip: str = ""

    @classmethod
    def of(cls, exchange: Exchange, ip: str) -> Outcome:
        """Return the outcome of an exchange."""
        head, failure = exchange.head, exchange.failure
        if failure is not None or head is None:
            return cls(0, "", failure, exchange.tls, ip)
        return cls(head.status, head.proto, None, exchange.tls, ip)


class Request(NamedTuple):
    """The facts of a request that tags show."""

    tag_set: TagSet
    #: Tags of the request itself.
    tags: tuple[tuple[str, str], ...] | None
    method: str
    #: URL without credentials.
    url: str
    #: The tag `name` of a URL template.
    name: str | None


class HttpSamples:
    """The recorder of the samples of a process's requests."""

    def __init__(self, process: ProcessContext) -> None:
        self._recorder = process.recorder
        self._system = process.system_tags
        self.with_ip = "ip" in process.system_tags
        self._rows: dict[tuple[Request, Outcome, bool | None], Row] = {}

    def take(
        self,
        exchange: Exchange,
        request: Request,
        expected: Expected,
        metadata: dict[str, str] | None,
    ) -> None:
        """Record the samples of an exchange."""
        outcome = Outcome.of(exchange, exchange.peer[0] if self.with_ip else "")
        row, as_expected = self.row(request, outcome, expected)
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

    def row(self, request: Request, outcome: Outcome, expected: Expected) -> tuple[Row, bool | None]:
        """Return the row of series, and whether the status is expected (None if not judged)."""
        as_expected = None if expected is None else outcome.status in expected
        key = (request, outcome, as_expected)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= _MOST_CACHED:
                self._rows.clear()
            metrics = _METRICS if expected is not None else _METRICS[:-1]
            row = self._rows[key] = self._recorder.row(
                metrics, self._tags(request, outcome, as_expected)
            )
        return row, as_expected

    def _tags(self, request: Request, outcome: Outcome, as_expected: bool | None) -> dict[str, str]:
        system, merged = self._system, {**request.tag_set.tags, **dict(request.tags or ())}

        def put(tag: str, value: str) -> None:
            if tag in system:
                merged[tag] = value

        if "name" not in merged and request.name is not None:
            put("name", request.name)
        if "name" in merged:  # a name stands for many URLs, and so does the tag `url` then
            put("url", merged["name"])
        else:
            put("name", request.url)
            put("url", request.url)
        put("method", request.method)
        if outcome.failure is not None:
            put("error", outcome.failure.message)
            put("error_code", str(outcome.failure.code))
            put("status", "0")
        else:
            put("status", str(outcome.status))
            if outcome.status >= 400:
                put("error_code", str(1000 + outcome.status))
            put("proto", outcome.proto)
            if outcome.tls is not None:
                put("tls_version", outcome.tls[0])
                put("ocsp_status", "unknown")
        if outcome.ip:
            merged["ip"] = outcome.ip
        if as_expected is not None:
            put("expected_response", "true" if as_expected else "false")
        return merged
