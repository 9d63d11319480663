"""Request headers as Go's net/http sends them."""

from __future__ import annotations

import pytest

from jsrunner.transport.fields import Fields


def lines(
    headers: dict[str, str], method: str = "GET", body: bytes | None = None, **more: str
) -> list[str]:
    data = Fields(headers).encode(method, "/x", "a.test", body, more.get("cookies", ""))
    return data.decode().split("\r\n")


def test_the_order() -> None:
    headers = {
        "X-B": "1", "Accept": "a", "User-Agent": "me", "Connection": "close", "Date": "d", "Cookie": "ignored",
        "Content-Length": "99", "Transfer-Encoding": "gzip", "Trailer": "x", "Content-Type": "text/x",
    }  # fmt: skip
    assert lines(headers, "POST", b"12345", cookies="a=b") == [
        "POST /x HTTP/1.1", "Host: a.test", "User-Agent: me", "Content-Length: 5", "Accept: a",
        "Connection: close", "Content-Type: text/x", "Cookie: a=b", "Date: d", "X-B: 1", "", "12345",
    ]  # fmt: skip


def test_own_host_and_no_agent() -> None:
    assert lines({"Host": "b.test", "User-Agent": ""}) == ["GET /x HTTP/1.1", "Host: b.test", "", ""]


@pytest.mark.parametrize(
    ("method", "body", "framing"),
    [
        ("GET", None, []),
        ("GET", b"", []),
        ("DELETE", b"", []),
        ("DELETE", None, []),
        ("DELETE", b"x", ["Content-Length: 1"]),
        ("POST", None, ["Content-Length: 0"]),
        ("PUT", None, ["Content-Length: 0"]),
        ("PATCH", None, ["Content-Length: 0"]),
        ("POST", b"", ["Transfer-Encoding: chunked"]),
        ("OTHER", b"", ["Transfer-Encoding: chunked"]),
        ("OTHER", None, []),
    ],
)
def test_framing(method: str, body: bytes | None, framing: list[str]) -> None:
    found = lines({}, method, body)
    end = found.index("")
    assert found[2:end] == framing
    rest = "\r\n".join(found[end + 1 :])
    assert rest == ("0\r\n\r\n" if "chunked" in str(framing) else (body or b"").decode())


def test_values_are_one_line() -> None:
    fields = Fields({"X-A": " a\r\nb\t"})
    assert b"X-A: a  b\r\n" in fields.encode("GET", "/", "h", None, "")


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"X-A": "b"}, ""),
        ({"X-A": "tab\tis fine, and so is ü"}, ""),
        ({"X A": "b"}, 'net/http: invalid header field name "X A"'),
        ({"": "b"}, 'net/http: invalid header field name ""'),
        ({"X-A": "a\r\nb"}, 'net/http: invalid header field value for "X-A"'),
        ({"X-A": "\0"}, 'net/http: invalid header field value for "X-A"'),
    ],
)
def test_what_is_refused(headers: dict[str, str], problem: str) -> None:
    assert Fields(headers).problem == problem
