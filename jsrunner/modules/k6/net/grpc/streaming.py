"""Streams: one call whose messages are events of a script."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from gevent import get_hub

from jsrunner.modules.k6.net.grpc.responses import details_of, write_message
from jsrunner.modules.k6.net.grpc.specs import BadMetadata
from jsrunner.proto import json_encoder
from jsrunner.proto.errors import MappingError
from jsrunner.transport.rpc_status import (
    ABANDONED,
    CANCELED,
    EXPIRED,
    INTERNAL,
    OK,
    RESOURCE_EXHAUSTED,
    UNKNOWN,
    RPCError,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.modules.context import ModuleContext
    from jsrunner.modules.k6.net.grpc.series import CallSeries
    from jsrunner.modules.k6.net.grpc.shared import Shared
    from jsrunner.modules.k6.net.grpc.specs import CallSpec

#: Events, as stream.js knows them.
_DATA, _FAILED, _OVER, END = range(4)
_CANCELED: Final = "canceled by client (k6)"


class Streaming:
    """A stream of a VU, from its opening until its call is over.

    Events are posted to the handle's listener: [DATA, message]; [FAILED, code, message, number of
    details, text] for what could not be sent; [OVER, ...] like it when the call has ended; [END] where
    the script's event `end` is due.
    """

    def __init__(self, vu: ModuleContext, handle: int, spec: CallSpec, series: CallSeries) -> None:
        self._vu = vu
        self._handle = handle
        self._spec = spec
        self._series = series
        self._started = time.perf_counter()
        self._call = spec.new_call(streams=spec.method.server_streams)
        self._has_failed = False
        #: Why a message was not sent, with which the call will end.
        self._refusal: Status | None = None
        #: Called when the call is over.
        self.on_over: Callable[[], object] = lambda: None

    def open(self, shared: Shared) -> None:
        """Begin the call, waiting for a connection. Raises RPCError."""
        call, spec = self._call, self._spec
        try:
            call.fields = spec.fields()
        except BadMetadata as error:
            raise RPCError(Status(INTERNAL, str(error))) from None
        if spec.timeout:
            if spec.timeout < 0:
                raise RPCError(EXPIRED)
            call.deadline = time.monotonic() + spec.timeout
            call.expire_in(spec.timeout, get_hub().loop)
        shared.watch(self._vu, call, spec, self._series)
        spec.connection.channel.begin(call)
        if call.wire is None and call.status is not None:
            raise RPCError(call.status)
        self._series.record("grpc_streams", 1)
        call.on_message = self._take
        call.on_end = self._ended
        if call.status is not None:
            self._ended(call.status)

    def write(self, text: str) -> None:
        """Send a message, given as JSON."""
        call, method = self._call, self._spec.method
        if self._has_failed or call.status is not None:
            return
        try:
            data = write_message(method.request, text, self._spec.library)
        except MappingError as error:
            text = f"can't serialise request object to protocol buffer: proto: {error}"
            self._fail(Status(UNKNOWN, text))
            return
        if call.is_half_closed:
            self._refuse(Status(INTERNAL, "SendMsg called after CloseSend"))
            return
        limit = self._spec.connection.max_send
        if len(data) > limit:
            text = f"trying to send message larger than max ({len(data)} vs. {limit})"
            self._refuse(Status(RESOURCE_EXHAUSTED, text))
            return
        call.send(data, end=not method.client_streams)
        self._series.record("grpc_streams_msgs_sent", 1)

    def end(self) -> None:
        """End the requests: no message follows."""
        if not self._has_failed:
            self._call.close_send()

    def closed(self) -> None:
        """Handle the delivery of the event `end`: cancel a call that the script can no longer end."""
        call = self._call
        if call.status is not None:
            return
        if self._refusal is not None:
            call.cancel(self._refusal)
        elif self._spec.timeout:
            call.is_measured = False
            call.cancel(Status(CANCELED, _CANCELED))
        elif not call.is_half_closed or self._has_failed:
            # k6 waits here for ever.
            self.drop()
            self.on_over()
            self._vu.interpreter.post(self._handle, [_OVER, OK, "", 0, ""])

    def cancel(self) -> None:
        """End the call without a sample; the script hears of it."""
        self._call.is_measured = False
        self._call.cancel(ABANDONED)

    def drop(self) -> None:
        """End the call without an event."""
        self._call.on_message = lambda message: None
        self._call.on_end = lambda status: None
        self._call.cancel(ABANDONED)

    def _refuse(self, status: Status) -> None:
        """Report that a message cannot be sent; as in grpc-go the call ends with that status, too."""
        self._refusal = status
        self._fail(status)

    def _fail(self, status: Status) -> None:
        self._has_failed = True
        self._vu.interpreter.post(
            self._handle, [_FAILED, status.code, status.message, 0, _shown(status)]
        )

    # -- in the hub --------------------------------------------------------------------------------

    def _take(self, message: object, status: int | None = None) -> None:
        spec = self._spec
        value: object = {}
        if not spec.discards:
            try:
                value = json_encoder.encode(spec.method.response, message, spec.library)
            except MappingError as error:
                text = f"failed to marshal the message: proto: {error}"
                self._call.cancel(Status(UNKNOWN, text))
                return
        self._series.record("grpc_streams_msgs_received", 1, status)
        self._vu.interpreter.post(self._handle, [_DATA, value])

    def _ended(self, status: Status) -> None:
        call = self._call
        if call.is_measured:
            seconds = time.perf_counter() - self._started
            self._series.record_duration(seconds, status.code, call)
        if not self._spec.method.server_streams and status.code == OK:
            self._take(call.message, status.code)
        self.on_over()
        if status.code == CANCELED:
            status = Status(UNKNOWN, _CANCELED)
        # An error without a text has that of the whole status.
        text = status.message or str(status)
        count = len(details_of(status.details)) if status.details else 0
        self._vu.interpreter.post(self._handle, [_OVER, status.code, text, count, _shown(status)])


def _shown(status: Status) -> str:
    """Return the text of an error without a handler."""
    return status.message if status.code == UNKNOWN else str(status)
