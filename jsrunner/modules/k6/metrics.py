"""Python half of `k6/metrics`: the registry of metrics, and the option `throw`."""

from __future__ import annotations

from jsrunner.engine.errors import HostError
from jsrunner.metrics.registry import MetricError
from jsrunner.modules.base import HostModule, operation


class Metrics(HostModule):
    """The operations of `k6/metrics`."""

    specifier = "k6/metrics"

    @operation
    def declare(self, name: str, type_: str, contains: str) -> int:
        """Declare a metric; return the number by which the core knows it."""
        process = self.vu.process
        try:
            process.registry.declare(name, type_, contains)
        except MetricError as error:
            raise HostError(str(error)) from None
        return process.recorder.metric_number(name)

    @operation
    def refuse(self, text: str) -> bool:
        """Report a value that is no number: return True if JavaScript must throw, else log it."""
        if self.vu.process.options.throw:
            return True
        self.vu.log("warning", text)
        return False
