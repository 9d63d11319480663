"""A call as a script wants it: its parameters, and the request fields that they make."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final, TypedDict

from google.protobuf.message import DecodeError

from jsrunner.modules.k6.net.grpc.durations import duration
from jsrunner.transport.rpc_call import Call
from jsrunner.transport.rpc_status import RESERVED

if TYPE_CHECKING:
    from jsrunner.engine.recorder import TagSet
    from jsrunner.modules.k6.net.grpc.connecting import GrpcConnection
    from jsrunner.modules.k6.net.grpc.series import CallSeries
    from jsrunner.proto.schema import Library, Method

_KEY: Final = re.compile(r"[0-9a-z\-_.]+")
_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_UNDECODABLE: Final = (
    "grpc: failed to unmarshal the received message: proto: cannot parse invalid wire-format data"
)


class BadMetadata(Exception):
    """Metadata that HTTP/2 cannot carry; the text is grpc-go's."""


class CallParams(TypedDict, total=False):
    """Parameters of a call, as `callParams` of params.js makes them."""

    tags: dict[str, str]
    #: Name, value, name, value, ...; values of binary keys are bytes.
    metadata: list[str | bytes]
    #: A duration as Go writes it, or milliseconds.
    timeout: str | float
    #: True if the response message is discarded.
    discards: bool


class CallSpec:
    """Method, metadata, tags and timeout of a gRPC call.

    A connection uses one spec for all its calls of a method that have no parameters.
    """

    #: The last result of `Shared.series` for this spec: (tag set, metadata, series).
    last_series: tuple[TagSet, dict[str, str] | None, CallSeries] | None = None

    def __init__(
        self,
        method: Method,
        connection: GrpcConnection,
        library: Library,
        params: CallParams | None,
    ) -> None:
        """Read the parameters of a call.

        Args:
            method: The method of the service.
            connection: The connection that carries the call.
            library: The schemas of the process.
            params: Parameters of the call as checked by the JavaScript half; None for none.

        Raises:
            ValueError: `timeout` is no duration.
        """
        self.method = method
        self.connection = connection
        self.library = library
        self.tags: dict[str, str] | None = None
        #: Seconds; 0 for the default timeout.
        self.timeout = 0.0
        self.discards = False
        self._metadata: list[str | bytes] = []
        if params:
            self.tags = params.get("tags")
            self.discards = params.get("discards", False)
            self._metadata = params.get("metadata") or []
            if "timeout" in params:
                try:
                    self.timeout = duration(params["timeout"])
                except ValueError as error:
                    raise ValueError(f"invalid timeout value: {error}") from None

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Return the metadata as request fields. Raises BadMetadata."""
        return metadata_fields(self._metadata) if self._metadata else []

    def new_call(self, *, streams: bool) -> Call:
        """Return a call of the method that has not begun."""
        return Call(
            self.method.path,
            (),
            decode=self._discard if self.discards else self._decode,
            streams=streams,
            max_receive=self.connection.max_receive,
        )

    def _decode(self, data: bytes) -> object:
        try:
            return self.method.response.make.FromString(data)
        except DecodeError:
            raise ValueError(_UNDECODABLE) from None

    @staticmethod
    def _discard(data: bytes) -> None:
        return None


def metadata_fields(metadata: list[str | bytes]) -> list[tuple[bytes, bytes]]:
    """Return (name, value) of a list of names and values by turns. Raises BadMetadata."""
    fields = []
    for name, value in zip(metadata[::2], metadata[1::2], strict=True):
        assert isinstance(name, str)
        key = name.lower()
        if key.startswith(":") or key in RESERVED:
            continue
        if not key:
            raise BadMetadata("there is an empty key in the header")
        if not _KEY.fullmatch(key):
            raise BadMetadata(f'header key "{key}" contains illegal characters not in [0-9a-z-_.]')
        if key.endswith("-bin"):
            data = value if isinstance(value, bytes) else value.encode()
            fields.append((key.encode(), base64.b64encode(data).rstrip(b"=")))
            continue
        assert isinstance(value, str)
        if not _VALUE.fullmatch(value):
            text = f'header key "{key}" contains value with non-printable ASCII characters'
            raise BadMetadata(text)
        fields.append((key.encode(), value.encode()))
    return fields
