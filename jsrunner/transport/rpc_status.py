"""Statuses of gRPC calls, and their counterparts in HTTP/2.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md; texts are grpc-go's, which scripts see.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from jsrunner.text import decode_bytewise
from jsrunner.transport.failures import code_name

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, CANCELED, UNKNOWN, DEADLINE_EXCEEDED = 0, 1, 2, 4
PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 7, 8, 12, 13
UNAVAILABLE, UNAUTHENTICATED = 14, 16

#: Go's names of the codes 0 to 16.
NAMES: Final = (
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
    "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange",
    "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
)  # fmt: skip

_OF_HTTP: Final = {
    400: INTERNAL, 401: UNAUTHENTICATED, 403: PERMISSION_DENIED, 404: UNIMPLEMENTED,
    429: UNAVAILABLE, 502: UNAVAILABLE, 503: UNAVAILABLE, 504: UNAVAILABLE,
}  # fmt: skip
#: Of RST_STREAM: FLOW_CONTROL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY.
_OF_RESET: Final = {
    3: RESOURCE_EXHAUSTED, 7: UNAVAILABLE, 8: CANCELED, 11: RESOURCE_EXHAUSTED, 12: PERMISSION_DENIED,
}  # fmt: skip
#: The last code that HTTP/2 defines.
_LAST_ERROR_CODE: Final = 13
_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_MALFORMED: Final = "transport: malformed grpc-status: "
#: Blocks of fields that are remembered.
_MOST_KNOWN: Final = 1000
_MOST_STATUS: Final = (1 << 31) - 1
#: Fields that are the protocol's own, and no metadata.
RESERVED: Final = frozenset(
    (
        "content-type", "user-agent", "grpc-message-type", "grpc-encoding", "grpc-message",
        "grpc-status", "grpc-timeout", "te",
    )
)  # fmt: skip


class Status(NamedTuple):
    """The status with which a call has ended."""

    code: int
    message: str = ""
    #: A serialized google.rpc.Status, if the server has sent one.
    details: bytes = b""

    def __str__(self) -> str:
        return f"rpc error: code = {name_of(self.code)} desc = {self.message}"


#: grpc-go's text of a deadline that has passed.
DEADLINE_TEXT: Final = "context deadline exceeded"
#: The status of a call whose deadline has passed, and of a call that its VU abandons.
EXPIRED: Final = Status(DEADLINE_EXCEEDED, DEADLINE_TEXT)
ABANDONED: Final = Status(CANCELED, "context canceled")


def name_of(code: int) -> str:
    """Return Go's name of a code."""
    return NAMES[code] if 0 <= code < len(NAMES) else f"Code({code})"


class RPCError(Exception):
    """A call could not be made, or has ended with a status."""

    def __init__(self, status: Status) -> None:
        super().__init__(str(status))
        self.status = status


def of_reset(code: int) -> Status:
    """Return the status of a stream that RST_STREAM has ended."""
    status = _OF_RESET.get(code, INTERNAL if code <= _LAST_ERROR_CODE else UNKNOWN)
    return Status(status, f"stream terminated by RST_STREAM with error code: {code_name(code)}")


class ResponseFields:
    """The fields of headers or trailers, shared by all calls that get equal fields; immutable."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self.pairs = [(decode_bytewise(name), decode_bytewise(value)) for name, value in raw]

    @functools.cached_property
    def metadata(self) -> dict[str, list[str]]:
        """The metadata for scripts: lists of values by name."""
        return metadata_of(self.pairs)

    @functools.cached_property
    def foreign(self) -> Status | None:
        """The status of a response that is no gRPC; None if it is gRPC."""
        return of_http(self.pairs)

    @functools.cached_property
    def status(self) -> Status:
        """The status of trailers."""
        return of_trailers(self.pairs)

    @property
    def is_malformed(self) -> bool:
        """True if grpc-status is no number: then scripts see no trailers."""
        return self.status.message.startswith(_MALFORMED)

    @functools.cached_property
    def encoding(self) -> str:
        """The value of grpc-encoding: the compression of compressed messages."""
        return next((value for name, value in self.pairs if name == "grpc-encoding"), "")


_known: dict[tuple[tuple[bytes, bytes], ...], ResponseFields] = {}


def fields_of(raw: tuple[tuple[bytes, bytes], ...]) -> ResponseFields:
    """Return the fields of raw bytes, cached: mostly a server sends equal fields again."""
    fields = _known.get(raw)
    if fields is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        fields = _known[raw] = ResponseFields(raw)
    return fields


NO_FIELDS: Final = ResponseFields(())


def of_http(fields: Sequence[tuple[str, str]]) -> Status | None:
    """Return the status of a response that is no gRPC; None if it is gRPC."""
    status, content_type = "", None
    for name, value in fields:
        if name == ":status":
            status = value
        elif name == "content-type":
            content_type = value
    if content_type is not None and _is_grpc(content_type):
        return None
    code = int(status) if status.isdigit() else 0
    try:
        phrase = HTTPStatus(code).phrase
    except ValueError:
        phrase = ""
    text = f"unexpected HTTP status code received from server: {code} ({phrase}); "
    if content_type is None:
        text += "malformed header: missing HTTP content-type"
    else:
        text += f'transport: received unexpected content-type "{content_type}"'
    return Status(_OF_HTTP.get(code, UNKNOWN), text)


def _is_grpc(content_type: str) -> bool:
    base = "application/grpc"
    return content_type.startswith(base) and content_type[len(base) : len(base) + 1] in ("", "+", ";")


def of_trailers(fields: Sequence[tuple[str, str]]) -> Status:
    """Return the status in trailers."""
    code, message, details = UNKNOWN, "", b""
    for name, value in fields:
        if name == "grpc-status":
            if not _NUMBER.fullmatch(value):
                text = f'strconv.ParseInt: parsing "{value}": invalid syntax'
                return Status(UNKNOWN, f"{_MALFORMED}{text}")
            code = int(value)
            if not -_MOST_STATUS - 1 <= code <= _MOST_STATUS:
                text = f'strconv.ParseInt: parsing "{value}": value out of range'
                return Status(UNKNOWN, f"{_MALFORMED}{text}")
            code &= 0xFFFFFFFF
        elif name == "grpc-message":
            message = unquote_to_bytes(value).decode("utf-8", "replace")
        elif name == "grpc-status-details-bin":
            details = _decode_binary(value)
    return Status(code, message, details)


def _decode_binary(value: str) -> bytes:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        return b""


def metadata_of(fields: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return a response's fields as scripts see them: lists of values by name.

    Bytes of names that end in `-bin` are decoded.
    """
    shown: dict[str, list[str]] = {}
    for name, value in fields:
        if name == "content-type" or not (name in RESERVED or name.startswith(":")):
            if name.endswith("-bin"):
                for part in value.split(","):
                    shown.setdefault(name, []).append(_decode_binary(part).decode("utf-8", "replace"))
            else:
                shown.setdefault(name, []).append(value)
    return shown


def timeout_field(seconds: float) -> bytes:
    """Return the value of grpc-timeout: at most 8 digits, and a unit."""
    nanoseconds = max(int(seconds * 1e9), 0)
    for unit, size in ((b"n", 1), (b"u", 10**3), (b"m", 10**6), (b"S", 10**9), (b"M", 60 * 10**9)):
        value = -(-nanoseconds // size)
        if value < 10**8:
            return b"%d%b" % (value, unit)
    return b"%dH" % -(-nanoseconds // (3600 * 10**9))
