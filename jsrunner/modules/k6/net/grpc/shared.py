"""State that all gRPC clients of a process share: schemas, series of samples, options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsrunner.modules.k6.net.grpc.series import CallSeries

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.engine.recorder import TagSet
    from jsrunner.modules.context import ModuleContext, ProcessContext
    from jsrunner.modules.k6.net.grpc.specs import CallSpec
    from jsrunner.proto.schema import Schema
    from jsrunner.transport.rpc_call import Call

#: Number of entries at which the table of series is emptied.
_MOST_CACHED = 10_000


class Shared:
    """Tables of one process."""

    def __init__(self, process: ProcessContext) -> None:
        self._process = process
        self._schemas: dict[tuple[str, ...], Schema] = {}
        self._series: dict[tuple[object, ...], CallSeries] = {}

    def schema(self, key: tuple[str, ...], load: Callable[[], Schema]) -> Schema:
        """Return the schema of a call of `load` with these arguments; load it the first time."""
        schema = self._schemas.get(key)
        if schema is None:
            schema = self._schemas[key] = load()
        return schema

    def series(self, vu: ModuleContext, spec: CallSpec) -> CallSeries:
        """Return the series of a call with a VU's current tags."""
        tag_set, metadata = vu.context.tag_set, vu.context.metadata
        last = spec.last_series
        if last is not None and last[0] is tag_set and last[1] == metadata:
            return last[2]
        key = (
            tag_set,
            spec.method.path,
            spec.connection.address,
            tuple(spec.tags.items()) if spec.tags else None,
            tuple(metadata.items()) if metadata else None,
        )
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= _MOST_CACHED:
                self._series.clear()
            series = CallSeries(self._process, self._tags(tag_set, spec), metadata)
            self._series[key] = series
        spec.last_series = (tag_set, metadata, series)
        return series

    def plain_series(self, vu: ModuleContext) -> CallSeries:
        """Return series with a VU's current tags only."""
        return CallSeries(self._process, vu.context.tag_set.tags, vu.context.metadata)

    def _tags(self, tag_set: TagSet, spec: CallSpec) -> dict[str, str]:
        tags, path = {**tag_set.tags, **(spec.tags or {})}, spec.method.path
        service, _, method = path[1:].partition("/")
        system = {
            "url": f"{spec.connection.address}{path}",
            "service": service,
            "method": method,
        }
        if "name" not in tags:
            system["name"] = path
        tags.update(
            (name, value) for name, value in system.items() if name in self._process.system_tags
        )
        return tags

    def watch(self, vu: ModuleContext, call: Call, spec: CallSpec, series: CallSeries) -> None:
        """Log a call if the option httpDebug is set."""
        debug = self._process.options.http_debug
        if debug:
            from jsrunner.modules.k6.net.grpc.debug import watch

            watch(vu, call, spec, is_full=debug == "full")
