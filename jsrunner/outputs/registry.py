"""Outputs by their names for `--out`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from jsrunner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.outputs.base import OutputConfig

#: The modules of outputs. Each has a function `configure(argument, environment)`.
_MODULES: Final = {
    "csv": "csv",
    "experimental-opentelemetry": "opentelemetry",
    "experimental-prometheus-rw": "prometheus",
    "influxdb": "influxdb",
    "json": "json_lines",
    "opentelemetry": "opentelemetry",
    "statsd": "statsd",
}
#: k6's outputs that jsrunner lacks, with the reason or k6's text.
_REFUSED: Final = {
    "cloud": "jsrunner sends no results to Grafana Cloud k6; use 'experimental-prometheus-rw' or "
    "'opentelemetry' with the endpoint of a Grafana Cloud stack instead",
    "web-dashboard": "use --web for a live page and --report for a report",
    "datadog": "the datadog output was deprecated in k6 v0.32.0 and removed in k6 v0.34.0, please "
    "use the statsd output with env. variable K6_STATSD_ENABLE_TAGS=true instead",
    "kafka": "the kafka output was deprecated in k6 v0.32.0 and removed in k6 v0.34.0, please use "
    "the new xk6 kafka output extension instead",
}


def parse_output(spec: str, environment: Mapping[str, str]) -> OutputConfig:
    """Find and configure an output.

    Args:
        spec: The value of `--out`: `name` or `name=argument`.
        environment: The environment, which has settings of outputs.

    Raises:
        UsageError: There is no output of that name, or its settings are wrong.
    """
    name, _, argument = spec.partition("=")
    if name in _MODULES:
        module = import_module(f"jsrunner.outputs.{_MODULES[name]}")
        config: OutputConfig = module.configure(argument, environment)
        return config
    if name in _REFUSED:
        raise UsageError(f"could not create the '{name}' output: {_REFUSED[name]}")
    from jsrunner.outputs.extension import configure_extension, extensions

    installed = extensions()
    if name in installed:
        return configure_extension(installed[name], argument, environment)
    available = ", ".join(sorted({*_MODULES, *installed}))
    raise UsageError(f"invalid output type '{name}', available types are: {available}")
