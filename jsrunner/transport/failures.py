"""Failed HTTP requests as k6 tells them: an error code, a short text, and Go's full text.

Codes: https://grafana.com/docs/k6/latest/javascript-api/error-codes/
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson
import pycurl

from jsrunner.transport.errors import BlacklistedAddress, BlockedHostname, DialError, NoSuchHost
from jsrunner.transport.tls_names import (
    UNKNOWN_AUTHORITY,
    VERIFICATION,
    alert_text,
    verification_text,
)

if TYPE_CHECKING:
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
_STREAM: Final = 1630
DECOMPRESSION: Final = 1701

#: RFC 9113, section 7.
_HTTP2_CODES: Final = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
    "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
    "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip
_BROKEN: Final = "net/http: HTTP/1.x transport connection broken: "


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no response."""

    code: int
    #: What `response.error` and the tag `error` say.
    message: str
    #: What the log and an exception say.
    text: str
    #: Whether the text goes behind the request's method and URL; not so if its body was read already.
    of_request: bool = True

    def full_text(self, method: str, url: URL) -> str:
        """`Get "http://host/": dial tcp ...`, as Go's url.Error."""
        if not self.of_request:
            return self.text
        word = method[:1] + method[1:].lower() if method else "Get"
        user = (url.user or "").partition(":")[0]
        return f"{word} {orjson.dumps(url.masked(user + ':***')).decode()}: {self.text}"


def generic(text: str) -> Failure:
    return Failure(GENERIC, text, text)


def of_dialing(error: DialError) -> Failure:
    """A host that may not or cannot be connected to."""
    if isinstance(error, NoSuchHost):
        return Failure(_NO_SUCH_HOST, "lookup: no such host", str(error))
    if isinstance(error, BlacklistedAddress):
        return Failure(_BLACKLISTED, "ip is blacklisted", str(error))
    if isinstance(error, BlockedHostname):
        return Failure(_BLOCKED, "hostname is blocked", str(error))
    return generic(str(error))


@dataclass(frozen=True, slots=True)
class Broken:
    """What libcurl knows of a transfer that failed."""

    code: int
    text: str
    errno: int
    #: Where it was connected to, or was to be: `127.0.0.1:80`.
    address: str
    #: Both ends of the connection as Go shows them: `a->b`.
    ends: str
    #: Whether there was a TCP connection, and whether a whole response head has come.
    connected: bool
    has_head: bool
    verify_result: int
    host: str
    #: The reason phrase of a proxy that refused to connect.
    proxy_reason: str
    uses_proxy: bool


def of_transfer(broken: Broken) -> Failure:
    """What Go says where libcurl says this."""
    failure = _of_transfer(broken)
    if broken.has_head:
        return Failure(failure.code, failure.message, failure.text, of_request=False)
    return failure


def _of_transfer(broken: Broken) -> Failure:
    code, text = broken.code, broken.text
    if code == pycurl.E_OPERATION_TIMEDOUT:
        if not broken.connected and text.startswith(("Connection timed out", "Failed to connect")):
            return Failure(_DIAL_TIMEOUT, "dial: i/o timeout", "dial: i/o timeout")
        return Failure(TIMEOUT, "request timeout", "request timeout")
    if code in (pycurl.E_COULDNT_CONNECT, pycurl.E_INTERFACE_FAILED):
        return _of_connect(broken)
    if code in (pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CONNECT_ERROR):
        return _of_tls(broken)
    if code == pycurl.E_SSL_CACERT_BADFILE:  # Go goes on without authorities
        return _unknown_authority(broken.host)
    if code in (pycurl.E_GOT_NOTHING, pycurl.E_PARTIAL_FILE):
        return generic("EOF" if code == pycurl.E_GOT_NOTHING else "unexpected EOF")
    if code in (pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR):
        return _of_stream(broken)
    if code == pycurl.E_HTTP2 or "HTTP/2 stream" in text:
        return _of_http2(text)
    if code == _WEIRD_REPLY and text == "Header without colon":
        return _malformed("malformed MIME header: missing colon")
    if text.startswith("Unsupported HTTP"):
        return _malformed("malformed HTTP version")
    return generic(text)


#: CURLE_WEIRD_SERVER_REPLY has kept the name of its first use.
_WEIRD_REPLY: Final = pycurl.E_FTP_WEIRD_SERVER_REPLY


def malformed_response(line: str) -> Failure:
    """What came is no HTTP."""
    return _malformed(f"malformed HTTP response {orjson.dumps(line).decode()}")


def _malformed(text: str) -> Failure:
    return Failure(GENERIC, text, _BROKEN + text)


def _of_connect(broken: Broken) -> Failure:
    number = broken.errno
    if broken.proxy_reason:
        return generic(broken.proxy_reason)
    reason = os.strerror(number).lower() if number else "connection failed"
    call = "bind" if broken.code == pycurl.E_INTERFACE_FAILED else "connect"
    text = f"dial tcp {broken.address}: {call}: {reason}"
    if broken.uses_proxy:
        text = f"proxyconnect tcp: {text}"
        return Failure(_TCP, text, text)
    if number == errno.ECONNREFUSED:
        return Failure(_DIAL_REFUSED, "dial: connection refused", text)
    if number == errno.ETIMEDOUT:
        return Failure(_DIAL_TIMEOUT, "dial: i/o timeout", "dial: i/o timeout")
    if number:
        return Failure(
            _DIAL_ERRNO, f"dial: unknown errno {number} error with msg `{reason}`", text
        )  # fmt: skip
    return Failure(_DIAL, text, text)


def _of_stream(broken: Broken) -> Failure:
    number, text = broken.errno, broken.text
    call = "write" if broken.code == pycurl.E_SEND_ERROR else "read"
    if "unexpected eof" in text or "abruptly" in text:
        return generic("EOF")
    if "alert" in text:
        return _alert(text)
    if "chunk" in text:
        return generic("invalid byte in chunk length")
    if not number:
        return generic(text)
    reason = os.strerror(number).lower()
    full = f"{call} tcp {broken.ends}: {call}: {reason}"
    if number == errno.ECONNRESET:
        return Failure(_RESET, f"{call}: {reason}", full)
    if number == errno.EPIPE:
        return Failure(_BROKEN_PIPE, f"{call}: {reason}", full)
    message = (
        f"{call}: unknown errno `{number}` on {os.uname().sysname.lower()} with message `{reason}`"
    )
    return Failure(_UNKNOWN_ERRNO, message, full)


def _of_tls(broken: Broken) -> Failure:
    text = broken.text
    if broken.code == pycurl.E_PEER_FAILED_VERIFICATION:
        is_mismatch = "alternative certificate subject" in text or "does not match" in text
        full = verification_text(
            64 if is_mismatch else broken.verify_result, broken.host, detail=text.partition(": ")[2]
        )
        message = full.removeprefix(VERIFICATION)
        if is_mismatch:
            return Failure(_HOST_MISMATCH, "x509: certificate doesn't match hostname", full)
        if broken.verify_result in UNKNOWN_AUTHORITY:
            return _unknown_authority(broken.host)
        return Failure(GENERIC, message, full)
    if broken.errno == errno.ECONNRESET:
        return _of_stream(broken)
    if "unexpected eof" in text or "SSL_ERROR_SYSCALL" in text:
        return generic("EOF")
    if "wrong version number" in text or "http request" in text:
        # Mostly a server without TLS; what it has said is not to be had.
        return generic("http: server gave HTTP response to HTTPS client")
    if "packet length" in text or "record layer" in text:
        record = "tls: first record does not look like a TLS handshake"
        return Failure(_TLS_RECORD, record, record)
    if "alert" in text:
        return _alert(text)
    reason = text.rpartition(":")[2] or text
    return generic(f"tls: {reason}")


def _unknown_authority(host: str) -> Failure:
    full = verification_text(UNKNOWN_AUTHORITY[0], host)
    return Failure(_UNKNOWN_AUTHORITY, "x509: unknown authority", full)


def _alert(text: str) -> Failure:
    full = alert_text(text) or text
    return Failure(NOT_TCP, full, full)


def _of_http2(text: str) -> Failure:
    match = re.search(r"\(err (\d+)\)", text)
    number = int(match[1]) if match else -1
    if not 0 <= number < len(_HTTP2_CODES):
        return generic(text)
    name = _HTTP2_CODES[number]
    stream = re.search(r"stream (\d+)", text)
    full = f"stream error: stream ID {stream[1] if stream else 1}; {name}; received from peer"
    return Failure(_STREAM + 1 + number, f"http2: stream error with http2 ErrCode {name}", full)
