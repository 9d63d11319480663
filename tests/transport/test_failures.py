"""What libcurl says of a broken transfer, and what k6 says then. (Real ones: test_http.py)"""

from __future__ import annotations

import errno
from typing import Any

import pycurl
import pytest

from jsrunner.transport import failures
from jsrunner.transport.errors import BlacklistedAddress, BlockedHostname, DialError, NoSuchHost
from jsrunner.transport.failures import Broken, Failure
from jsrunner.transport.url import parse


def broken(code: int, text: str = "", **more: Any) -> Failure:
    known: dict[str, Any] = {
        "errno": 0, "address": "127.0.0.1:80", "ends": "a->b", "connected": True, "has_head": False,
        "verify_result": 0, "host": "a.test", "proxy_reason": "", "uses_proxy": False,
    }  # fmt: skip
    return failures.of_transfer(Broken(code, text, **{**known, **more}))


@pytest.mark.parametrize(
    ("code", "text", "more", "expected"),
    [
        (pycurl.E_OPERATION_TIMEDOUT, "Operation timed out after 1 ms", {}, (1050, "request timeout")),
        (pycurl.E_OPERATION_TIMEDOUT, "Connection timed out after 1 ms", {"connected": False},
         (1211, "dial: i/o timeout")),
        (pycurl.E_COULDNT_CONNECT, "", {"errno": errno.ECONNREFUSED}, (1212, "dial: connection refused")),
        (pycurl.E_COULDNT_CONNECT, "", {"errno": errno.ETIMEDOUT}, (1211, "dial: i/o timeout")),
        (pycurl.E_COULDNT_CONNECT, "", {"errno": errno.ENETUNREACH},
         (1213, "dial: unknown errno 101 error with msg `network is unreachable`")),
        (pycurl.E_COULDNT_CONNECT, "", {}, (1210, "dial tcp 127.0.0.1:80: connect: connection failed")),
        (pycurl.E_COULDNT_CONNECT, "", {"errno": errno.ECONNREFUSED, "uses_proxy": True},
         (1200, "proxyconnect tcp: dial tcp 127.0.0.1:80: connect: connection refused")),
        (pycurl.E_COULDNT_CONNECT, "", {"proxy_reason": "Forbidden", "uses_proxy": True}, (1000, "Forbidden")),
        (pycurl.E_GOT_NOTHING, "Empty reply", {}, (1000, "EOF")),
        (pycurl.E_PARTIAL_FILE, "", {}, (1000, "unexpected EOF")),
        (pycurl.E_RECV_ERROR, "Recv failure", {"errno": errno.ECONNRESET},
         (1220, "read: connection reset by peer")),
        (pycurl.E_SEND_ERROR, "Send failure", {"errno": errno.EPIPE}, (1201, "write: broken pipe")),
        (pycurl.E_RECV_ERROR, "", {"errno": errno.EHOSTUNREACH},
         (1202, "read: unknown errno `113` on linux with message `no route to host`")),
        (pycurl.E_SSL_CONNECT_ERROR, "error:0A00010B:SSL routines::wrong version number", {},
         (1000, "http: server gave HTTP response to HTTPS client")),
        (pycurl.E_SSL_CONNECT_ERROR, "SSL routines::packet length too long", {},
         (1301, "tls: first record does not look like a TLS handshake")),
        (pycurl.E_PEER_FAILED_VERIFICATION, "SSL certificate problem: unable to get local issuer",
         {"verify_result": 20}, (1310, "x509: unknown authority")),
        (pycurl.E_PEER_FAILED_VERIFICATION, "SSL: no alternative certificate subject name matches", {},
         (1311, "x509: certificate doesn't match hostname")),
        (pycurl.E_PEER_FAILED_VERIFICATION, "SSL certificate problem: certificate has expired",
         {"verify_result": 10}, (1000, "x509: certificate has expired or is not yet valid")),
        (pycurl.E_HTTP2, "HTTP/2 stream 5 was not closed cleanly: REFUSED_STREAM (err 7)", {},
         (1638, "http2: stream error with http2 ErrCode REFUSED_STREAM")),
        (pycurl.E_UNSUPPORTED_PROTOCOL, "Unsupported HTTP/1 subversion", {}, (1000, "malformed HTTP version")),
        (999, "something else", {}, (1000, "something else")),
    ],
)  # fmt: skip
def test_codes(code: int, text: str, more: dict[str, Any], expected: tuple[int, str]) -> None:
    failure = broken(code, text, **more)
    assert (failure.code, failure.message) == expected


def test_full_texts() -> None:
    url = parse("http://me:pass@a.test/x")
    failure = broken(pycurl.E_RECV_ERROR, errno=errno.ECONNRESET)
    assert failure.full_text("POST", url) == (
        'Post "http://me:***@a.test/x": read tcp a->b: read: connection reset by peer'
    )
    # Once there is a head the error is one of reading the body, and Go says no more than that.
    late = broken(pycurl.E_PARTIAL_FILE, has_head=True)
    assert late.full_text("POST", url) == "unexpected EOF"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (NoSuchHost("x"), 1101, "lookup: no such host"),
        (BlacklistedAddress("x"), 1110, "ip is blacklisted"),
        (BlockedHostname("x"), 1111, "hostname is blocked"),
        (DialError("x"), 1000, "x"),
    ],
)
def test_dialing(error: DialError, code: int, message: str) -> None:
    failure = failures.of_dialing(error)
    assert (failure.code, failure.message, failure.text) == (code, message, "x")


def test_what_is_no_http() -> None:
    failure = failures.malformed_response('SSH-2.0 "x"')
    assert failure.message == 'malformed HTTP response "SSH-2.0 \\"x\\""'
    assert failure.text.startswith("net/http: HTTP/1.x transport connection broken: ")
