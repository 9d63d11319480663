"""Log records of gRPC calls for the option httpDebug."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from google.protobuf import text_format

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.net.grpc.specs import CallSpec
    from jsrunner.proto.messages import MessageType
    from jsrunner.transport.rpc_call import Call
    from jsrunner.transport.rpc_status import ResponseFields


_GROUP: Final = re.compile(r" \{$", re.MULTILINE)


class _CallLog:
    """Logs one call."""

    def __init__(self, vu: ModuleContext, call: Call, spec: CallSpec, *, is_full: bool) -> None:
        self._vu = vu
        self._call = call
        self._spec = spec
        self._is_full = is_full
        self._fields: dict[str, object] = {
            **(vu.context.metadata or {}),
            "source": "http-debug",
            "vu": vu.id,
            "iter": vu.iteration,
        }

    def _log(self, text: str) -> None:
        self._vu.log("info", text, **self._fields)

    def began(self, peer: str) -> None:
        """Log the request's metadata."""
        lines = "".join(f"{name.decode()}: {value.decode()}\n" for name, value in self._call.fields)
        user_agent = f"user-agent: {self._spec.connection.channel.target.user_agent}\n"
        head = f"Full Method: {self._call.path}\nRemote Address: {peer}\n"
        self._log(f"Out Header:\n{head}{user_agent}{lines}\n")

    def fields(self, kind: str, fields: ResponseFields) -> None:
        """Log headers or trailers that have come."""
        metadata = fields.metadata
        if metadata:
            size = sum(len(name) + len(value) for name, value in fields.pairs)
            lines = "".join(f"{name}: {', '.join(values)}\n" for name, values in metadata.items())
            label = "In Header" if kind == "headers" else "In Trailer"
            self._log(f"{label}:\nWire Length: {size}\n{lines}\n")

    def message(self, label: str, time_label: str, type_: MessageType, data: bytes) -> None:
        """Log a message, if it is wanted."""
        if self._is_full:
            shown = text_format.MessageToString(type_.make.FromString(data), as_utf8=True)
            shown = _GROUP.sub(": {", shown)  # as Go writes it
            moment = datetime.now(timezone.utc).astimezone()
            head = f"Wire Length: {len(data) + 5}\n{time_label} Time: {moment}\n"
            self._log(f"{label} Payload:\n{head}{shown}\n\n")


def watch(vu: ModuleContext, call: Call, spec: CallSpec, *, is_full: bool) -> None:
    """Log a call's parts as they come and go."""
    watcher = _CallLog(vu, call, spec, is_full=is_full)
    call.on_fields = watcher.fields
    call.on_begin = watcher.began
    call.on_bytes = lambda is_sent, data: watcher.message(
        "Out" if is_sent else "In",
        "Sent" if is_sent else "Received",
        spec.method.request if is_sent else spec.method.response,
        data,
    )
