"""Encoding of requests, and conversion of ended calls to responses for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

from jsrunner.proto import json_decoder, json_encoder
from jsrunner.proto.errors import MappingError

if TYPE_CHECKING:
    from jsrunner.modules.k6.net.grpc.specs import CallSpec
    from jsrunner.proto.messages import MessageType
    from jsrunner.proto.schema import Library
    from jsrunner.transport.rpc_call import Call

#: google.rpc.Status: its field `details`, of wire type 2.
_DETAILS: Final = 3 << 3 | 2


def write_message(type_: MessageType, text: str, library: Library) -> bytes:
    """Return a message's bytes from its JSON. Raises MappingError."""
    data: bytes = json_decoder.decode(type_, text, library).SerializeToString()
    return data


class ResponseError(TypedDict, total=False):
    """The error of a response; without items if a detail of it cannot be shown, as in k6."""

    code: int
    message: str
    #: Details of google.rpc.Status as JSON.
    details: list[object]


class Response(NamedTuple):
    """A call that is over, as `responseOf` of responses.js takes it."""

    #: The message as JSON; None for none.
    message: object
    error: ResponseError | None
    headers: dict[str, list[str]]
    trailers: dict[str, list[str]]
    status: int


def response_of(call: Call, spec: CallSpec) -> Response:
    """Return the response of a call that is over. Raises MappingError."""
    status = call.status
    assert status is not None
    message = None
    if not spec.discards:
        type_ = spec.method.response
        content = type_.empty() if call.message is None else call.message
        message = json_encoder.encode(type_, content, spec.library)
    error: ResponseError | None = None
    if status.code:
        error = {"code": status.code, "message": status.message, "details": []}
        if status.details:
            try:
                error["details"] = _details(status.details, spec.library)
            except MappingError:
                error = {}  # as in k6: it shows nothing if a detail cannot be shown
    return Response(message, error, call.headers.metadata, call.trailers.metadata, status.code)


def _details(data: bytes, library: Library) -> list[object]:
    """Return the details of a google.rpc.Status as JSON has them. Raises MappingError."""
    return [json_encoder.encode_any(detail, library) for detail in details_of(data)]


def details_of(data: bytes) -> list[AnyMessage]:
    """Return the details of a serialized google.rpc.Status; none if it is broken."""
    details = []
    position = 0
    try:
        while position < len(data):
            key, position = _varint(data, position)
            if key & 7 == 0:
                _, position = _varint(data, position)
            elif key & 7 == 2:
                size, position = _varint(data, position)
                if key == _DETAILS:
                    details.append(AnyMessage.FromString(data[position : position + size]))
                position += size
            else:
                return []
    except (DecodeError, IndexError):
        return []
    return details


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return (number, where it ends). Raises IndexError."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
