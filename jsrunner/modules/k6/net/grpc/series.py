"""Series of the samples of gRPC calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jsrunner.metrics.registry import BUILTIN

if TYPE_CHECKING:
    from jsrunner.engine.recorder import CoreSeries
    from jsrunner.modules.context import ProcessContext
    from jsrunner.transport.rpc_call import Call


class CallSeries:
    """The series of calls whose tags differ only in the status."""

    def __init__(
        self, process: ProcessContext, tags: dict[str, str], metadata: dict[str, str] | None
    ) -> None:
        self._process = process
        self.tags = tags
        self.metadata = metadata
        self._series: dict[tuple[str, int | None, str], CoreSeries] = {}

    def record(self, metric: str, value: float, status: int | None = None, ip: str = "") -> None:
        """Record a sample now; `status` becomes a tag, if it is known."""
        key = (metric, status, ip)
        series = self._series.get(key)
        if series is None:
            tags = dict(self.tags)
            if status is not None and "status" in self._process.system_tags:
                tags["status"] = str(status)
            if ip:
                tags["ip"] = ip
            recorder = self._process.recorder
            series = self._series[key] = recorder.series(BUILTIN[metric], recorder.tag_set(tags))
        series.add(value, time.time(), self.metadata)

    def record_duration(self, seconds: float, status: int, call: Call | None = None) -> None:
        """Record how long a call took."""
        ip = ""
        if call is not None and call.wire is not None and "ip" in self._process.system_tags:
            ip = call.wire.stream.peer[0]
        self.record("grpc_req_duration", seconds * 1000, status, ip)
