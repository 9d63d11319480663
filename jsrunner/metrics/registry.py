"""The registry of metrics: k6's built-in metrics and the metrics that scripts declare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{1,128}\Z")


class MetricError(Exception):
    """A metric is declared with a wrong name, or again with another type. The text is k6's."""


class Metric(Struct, frozen=True):
    """A metric: the name, type and unit of samples."""

    name: str
    #: counter, gauge, rate or trend.
    type: str
    #: The values' meaning: default, time (milliseconds) or data (bytes).
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


#: k6's built-in metrics by name.
BUILTIN: Final = _builtin()


class Registry:
    """The metrics of one run.

    The init code of each VU declares the script's metrics again, and gets the same objects.
    """

    def __init__(self) -> None:
        self._metrics = dict(BUILTIN)

    def declare(self, name: str, type_: str, contains: str = "default") -> Metric:
        """Declare a metric of the script.

        Args:
            name: The metric's name.
            type_: counter, gauge, rate or trend.
            contains: default, time or data.

        Returns:
            The metric, which is the same object for each declaration of a name.

        Raises:
            MetricError: The name is invalid, or an earlier declaration had another type.
        """
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
        """Return the metric of a name, or None if there is none."""
        return self._metrics.get(name)

    def declared(self) -> Iterator[Metric]:
        """Iterate over the metrics that the script has declared."""
        return (metric for name, metric in self._metrics.items() if name not in BUILTIN)
