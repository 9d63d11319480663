"""Metrics by name: k6's own, and those that scripts declare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{1,128}\Z")


class MetricError(Exception):
    """A metric cannot be declared so; the text is k6's."""


class Metric(Struct, frozen=True):
    """`type` is counter, gauge, rate or trend; `contains` default, time (ms) or data (bytes)."""

    name: str
    type: str
    contains: str = "default"


def _builtin() -> dict[str, Metric]:
    rows = {
        ("counter", "default"): "iterations dropped_iterations http_reqs ws_sessions ws_msgs_sent "
        "ws_msgs_received grpc_streams grpc_streams_msgs_sent grpc_streams_msgs_received",
        ("counter", "data"): "data_sent data_received",
        ("gauge", "default"): "vus vus_max",
        ("rate", "default"): "checks http_req_failed",
        ("trend", "time"): "iteration_duration group_duration http_req_duration http_req_blocked "
        "http_req_connecting http_req_tls_handshaking http_req_sending http_req_waiting "
        "http_req_receiving ws_connecting ws_session_duration ws_ping grpc_req_duration",
    }
    return {
        name: Metric(name, type_, contains)
        for (type_, contains), names in rows.items()
        for name in names.split()
    }


#: The metrics of k6 itself.
BUILTIN: Final = _builtin()


class Registry:
    """The metrics of one run; every VU declares the same ones again and gets the same objects."""

    def __init__(self) -> None:
        self._metrics = dict(BUILTIN)

    def declare(self, name: str, type_: str, contains: str = "default") -> Metric:
        """Raises MetricError for a bad name or a clash with an earlier declaration."""
        if not _NAME.match(name):
            raise MetricError(
                f"Invalid metric name: '{name}'. Metric names must only include up to 128 ASCII "
                "letters, numbers, or underscores and start with a letter or an underscore."
            )
        known = self._metrics.get(name)
        if known is None:
            known = self._metrics[name] = Metric(name, type_, contains)
        elif known.type != type_:
            raise MetricError(
                f"metric '{name}' already exists but with type {known.type}, instead of {type_}"
            )
        elif known.contains != contains:
            raise MetricError(
                f"metric '{name}' already exists but with a value type {known.contains}, "
                f"instead of {contains}"
            )
        return known

    def get(self, name: str) -> Metric | None:
        return self._metrics.get(name)

    def declared(self) -> Iterator[Metric]:
        """What the script has added."""
        return (one for name, one in self._metrics.items() if name not in BUILTIN)
