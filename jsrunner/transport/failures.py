"""Failed HTTP requests as k6 reports them: an error code, a short text, and Go's full text.

Codes: https://grafana.com/docs/k6/latest/javascript-api/error-codes/
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.options.numbers import quote
from jsrunner.transport.errors import (
    BlacklistedAddress,
    BlockedHostname,
    ConnectError,
    DialError,
    DialTimeout,
    Disconnected,
    HostMismatch,
    InvalidPort,
    NoSuchHost,
    ProxyError,
    TLSAlert,
    TLSRecordError,
    UnknownAuthority,
)

if TYPE_CHECKING:
    from jsrunner.transport.stream import Stream
    from jsrunner.transport.url import URL

GENERIC: Final = 1000
NOT_TCP: Final = 1010
INVALID_URL: Final = 1020
TIMEOUT: Final = 1050
_NO_SUCH_HOST: Final = 1101
_BLACKLISTED: Final = 1110
_BLOCKED: Final = 1111
_TCP: Final = 1200
_BROKEN_PIPE: Final = 1201
_UNKNOWN_ERRNO: Final = 1202
_DIAL: Final = 1210
_DIAL_TIMEOUT: Final = 1211
_DIAL_REFUSED: Final = 1212
_DIAL_ERRNO: Final = 1213
_RESET: Final = 1220
_TLS_RECORD: Final = 1301
_UNKNOWN_AUTHORITY: Final = 1310
_HOST_MISMATCH: Final = 1311
_GOAWAY: Final = 1610
_STREAM: Final = 1630
_CONNECTION: Final = 1650
DECOMPRESSION: Final = 1701

#: RFC 9113, section 7.
_HTTP2_CODES: Final = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
    "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
    "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip
_FRAME_SIZE_ERROR: Final = 6
_BROKEN: Final = "net/http: HTTP/1.x transport connection broken: "


class HttpFailure(Struct, frozen=True):
    """The failure of a request that has no response."""

    code: int
    #: Text of `response.error` and of the tag `error`.
    message: str
    #: Text of the log record and of an exception.
    text: str
    #: True if the text is preceded by the method and the URL. False from the reading of the body on.
    of_request: bool = True

    def full_text(self, method: str, url: URL) -> str:
        """Return `Get "http://host/": dial tcp ...`, as Go's url.Error."""
        if not self.of_request:
            return self.text
        word = method or "Get"
        if word.isascii() and word.isprintable():
            word = word[:1] + word[1:].lower()
        user = (url.user or "").partition(":")[0]
        return f"{word} {quote(url.masked(user + ':***'))}: {self.text}"

    def of_body(self) -> HttpFailure:
        """Return the same failure for a response whose body was being read."""
        return HttpFailure(self.code, self.message, self.text.removeprefix(_BROKEN), of_request=False)


def generic(text: str) -> HttpFailure:
    """Return a failure of k6's general code 1000."""
    return HttpFailure(GENERIC, text, text)


def timeout() -> HttpFailure:
    """Return the failure of a request that has timed out."""
    return HttpFailure(TIMEOUT, "request timeout", "request timeout")


def malformed(text: str) -> HttpFailure:
    """Return the failure of a response that is not HTTP."""
    return HttpFailure(GENERIC, text, _BROKEN + text)


def too_large(limit: int) -> HttpFailure:
    """Return the failure of a body with more than `limit` bytes. k6 has no such limit."""
    text = (
        f"the response body has more than {limit} bytes: raise the limit with --max-body-size or "
        "JSRUNNER_MAX_BODY_SIZE, or discard the body"
    )
    return HttpFailure(GENERIC, text, text, of_request=False)


def of_dialing(error: DialError) -> HttpFailure:
    """Return the failure of a connection that could not be established or is not allowed."""
    text = str(error)
    if isinstance(error, ProxyError):
        text = f"proxyconnect tcp: {text}"
        return HttpFailure(_TCP, text, text)
    if isinstance(error, ConnectError):
        return _of_connect(error)
    if isinstance(error, Disconnected):
        return _of_errno(error.number, "read", text)
    if isinstance(error, TLSRecordError):
        shown = "http: server gave HTTP response to HTTPS client" if error.is_http else text
        return HttpFailure(_TLS_RECORD, text, shown)
    for kind, code, message in (
        (NoSuchHost, _NO_SUCH_HOST, "lookup: no such host"),
        (BlacklistedAddress, _BLACKLISTED, "ip is blacklisted"),
        (BlockedHostname, _BLOCKED, "hostname is blocked"),
        (UnknownAuthority, _UNKNOWN_AUTHORITY, "x509: unknown authority"),
        (HostMismatch, _HOST_MISMATCH, "x509: certificate doesn't match hostname"),
        (InvalidPort, _DIAL, text),
        (TLSAlert, NOT_TCP, text),
    ):
        if isinstance(error, kind):
            return HttpFailure(code, message, text)
    if isinstance(error, DialTimeout):
        return HttpFailure(_DIAL_TIMEOUT, "dial: i/o timeout", "dial: i/o timeout")
    return HttpFailure(GENERIC, error.short, text)


def _of_connect(error: ConnectError) -> HttpFailure:
    number, text = error.number, str(error)
    reason = os.strerror(number).lower()
    if number == errno.ECONNREFUSED:
        return HttpFailure(_DIAL_REFUSED, "dial: connection refused", text)
    if number == errno.ECONNRESET:
        return HttpFailure(_RESET, "dial: connection reset by peer", text)
    return HttpFailure(_DIAL_ERRNO, f"dial: unknown errno {number} error with msg `{reason}`", text)


def of_stream_error(error: OSError, stream: Stream) -> HttpFailure:
    """Return the failure of a read or write on a connection."""
    call = "write" if error is stream.write_error else "read"
    return _of_errno(error.errno or 0, call, socket_text(error, call, stream.ends))


def dial_error(error: OSError, ends: str) -> DialError:
    """Return the error of a connection that broke while it was being established.

    Args:
        error: The socket's error.
        ends: Both ends of the connection as Go shows them: `a->b`.
    """
    return Disconnected(socket_text(error, "read", ends), error.errno or 0)


def socket_text(error: OSError, call: str, ends: str) -> str:
    """Return Go's text of a failed read or write.

    Args:
        error: The socket's error.
        call: `read` or `write`.
        ends: Both ends of the connection as Go shows them: `a->b`.
    """
    return f"{call} tcp {ends}: {call}: {_reason(error)}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _of_errno(number: int, call: str, text: str) -> HttpFailure:
    reason = os.strerror(number).lower()
    if number == errno.ECONNRESET:
        return HttpFailure(_RESET, f"{call}: {reason}", text)
    if number == errno.EPIPE:
        return HttpFailure(_BROKEN_PIPE, f"{call}: {reason}", text)
    system = os.uname().sysname.lower()
    message = f"{call}: unknown errno `{number}` on {system} with message `{reason}`"
    return HttpFailure(_UNKNOWN_ERRNO, message, text)


# -- HTTP/2 --------------------------------------------------------------------------------------------


def code_name(number: int) -> str:
    """Return the name of an HTTP/2 error code."""
    return _HTTP2_CODES[number] if number < len(_HTTP2_CODES) else f"unknown error code 0x{number:x}"


def of_reset(number: int, stream: int, *, by_peer: bool = True) -> HttpFailure:
    """Return the failure of a stream that was reset with an HTTP/2 error code."""
    name = code_name(number)
    text = f"stream error: stream ID {stream}; {name}" + ("; received from peer" if by_peer else "")
    return _of_http2(_STREAM, "stream error", number, text)


def of_goaway(number: int, last: int, debug: bytes) -> HttpFailure:
    """Return the failure of a connection that the server has ended with GOAWAY."""
    text = (
        f"http2: server sent GOAWAY and closed the connection; LastStreamID={last}, "
        f"ErrCode={code_name(number)}, debug={quote(debug.decode('utf-8', 'replace'))}"
    )
    return _of_http2(_GOAWAY, "received GoAway", number, text)


def of_connection(number: int) -> HttpFailure:
    """Return the failure of a connection whose server has broken the rules of HTTP/2."""
    if number == _FRAME_SIZE_ERROR:
        return generic("http2: frame too large")
    return _of_http2(_CONNECTION, "connection error", number, f"connection error: {code_name(number)}")


def _of_http2(base: int, scope: str, number: int, text: str) -> HttpFailure:
    code = base + 1 + number if number < len(_HTTP2_CODES) else base
    return HttpFailure(code, f"http2: {scope} with http2 ErrCode {code_name(number)}", text)
