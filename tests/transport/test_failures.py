"""k6's error texts for failed requests. (Real requests: test_http1.py, test_http2.py)"""

from __future__ import annotations

import errno

import pytest

from jsrunner.transport import failures
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
from jsrunner.transport.url import parse


def test_full_texts() -> None:
    url = parse("http://me:pass@a.test/x")
    failure = failures.generic("EOF")
    assert failure.full_text("POST", url) == 'Post "http://me:***@a.test/x": EOF'
    assert failure.full_text("", url).startswith('Get "')
    # Once there is a head the error is one of reading the body, and Go says no more than that.
    assert failure.of_body().full_text("POST", url) == "EOF"
    broken = failures.malformed("bad")
    prefix = "net/http: HTTP/1.x transport connection broken: "
    assert broken.full_text("GET", url) == f'Get "http://me:***@a.test/x": {prefix}bad'
    assert broken.of_body().full_text("GET", url) == "bad"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (NoSuchHost("x"), 1101, "lookup: no such host"),
        (BlacklistedAddress("x"), 1110, "ip is blacklisted"),
        (BlockedHostname("x"), 1111, "hostname is blocked"),
        (InvalidPort("x"), 1210, "x"),
        (ConnectError("x", errno.ECONNREFUSED), 1212, "dial: connection refused"),
        (ConnectError("x", errno.ECONNRESET), 1220, "dial: connection reset by peer"),
        (ConnectError("x", errno.ENETUNREACH), 1213,
         "dial: unknown errno 101 error with msg `network is unreachable`"),
        (Disconnected("x", errno.ECONNRESET), 1220, "read: connection reset by peer"),
        (Disconnected("x", errno.EPIPE), 1201, "read: broken pipe"),
        (Disconnected("x", errno.EHOSTUNREACH), 1202,
         "read: unknown errno `113` on linux with message `no route to host`"),
        (TLSRecordError("x"), 1301, "x"),
        (TLSAlert("x"), 1010, "x"),
        (UnknownAuthority("x"), 1310, "x509: unknown authority"),
        (HostMismatch("x"), 1311, "x509: certificate doesn't match hostname"),
        (DialError("x"), 1000, "x"),
        (DialError("x", "short"), 1000, "short"),
    ],
)  # fmt: skip
def test_dialing(error: DialError, code: int, message: str) -> None:
    failure = failures.of_dialing(error)
    assert (failure.code, failure.message, failure.text) == (code, message, "x")


def test_dialing_in_other_words() -> None:
    late = failures.of_dialing(DialTimeout("x"))
    assert (late.code, late.message, late.text) == (1211, "dial: i/o timeout", "dial: i/o timeout")
    proxy = failures.of_dialing(ProxyError("x"))
    assert (proxy.code, proxy.message) == (1200, "proxyconnect tcp: x")
    http = failures.of_dialing(TLSRecordError("x", is_http=True))
    assert (http.code, http.message) == (1301, "x")
    assert http.text == "http: server gave HTTP response to HTTPS client"


def test_what_is_said_of_a_limit_names_the_option() -> None:
    failure = failures.too_large(1000)
    assert "--max-body-size" in failure.message
    assert "1000 bytes" in failure.message


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (2, 1633, "stream error: stream ID 5; INTERNAL_ERROR; received from peer"),
        (13, 1644, "stream error: stream ID 5; HTTP_1_1_REQUIRED; received from peer"),
        (99, 1630, "stream error: stream ID 5; unknown error code 0x63; received from peer"),
    ],
)
def test_http2_resets(number: int, code: int, text: str) -> None:
    failure = failures.of_reset(number, 5)
    assert (failure.code, failure.text) == (code, text)
    assert failure.message == f"http2: stream error with http2 ErrCode {failures.code_name(number)}"


def test_http2_connections() -> None:
    goaway = failures.of_goaway(11, 3, b'bye "x"')
    assert goaway.code == 1622
    assert goaway.text == (
        "http2: server sent GOAWAY and closed the connection; LastStreamID=3, "
        'ErrCode=ENHANCE_YOUR_CALM, debug="bye \\"x\\""'
    )
    assert (
        failures.of_connection(1).message == "http2: connection error with http2 ErrCode PROTOCOL_ERROR"
    )
    assert failures.of_connection(6).message == "http2: frame too large"
