"""The request behind a redirection, by the rules of Go's http.Client."""

from __future__ import annotations

from typing import Any

import pytest

from jsrunner.transport.head import parse_head
from jsrunner.transport.redirects import BadLocation, Hop, next_hop
from jsrunner.transport.url import parse


def follow(status: int, location: str, *, url: str = "http://a.test/x/y", **more: Any) -> Hop | None:
    hop = Hop(**{"method": "GET", "url": parse(url), "headers": {}, "body": None, **more})
    head = parse_head(f"HTTP/1.1 {status} X\r\nLocation: {location}\r\n\r\n".encode())
    assert head is not None
    return next_hop(hop, head)


@pytest.mark.parametrize(
    ("status", "method", "after", "keeps_body"),
    [
        (301, "POST", "GET", False), (302, "PUT", "GET", False), (303, "HEAD", "HEAD", False),
        (303, "DELETE", "GET", False), (307, "POST", "POST", True), (308, "PATCH", "PATCH", True),
    ],
)  # fmt: skip
def test_methods(status: int, method: str, after: str, keeps_body: bool) -> None:
    headers = {"Content-Type": "text/x", "X-A": "b"}
    hop = follow(status, "/z", method=method, body=b"body", headers=headers)
    assert hop is not None
    assert (hop.method, str(hop.url)) == (after, "http://a.test/z")
    assert (hop.body == b"body") is keeps_body
    assert ("Content-Type" in hop.headers) is keeps_body
    assert hop.headers["X-A"] == "b"


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 400])
def test_no_redirection(status: int) -> None:
    assert follow(status, "/z") is None
    assert follow(302, "") is None


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("z", "http://a.test/x/z"), ("?q", "http://a.test/x/y?q"), ("//b.test", "http://b.test"),
        ("https://b.test/ü", "https://b.test/%C3%BC"), ("../z#f", "http://a.test/z#f"),
    ],
)  # fmt: skip
def test_locations(location: str, url: str) -> None:
    hop = follow(302, location)
    assert hop is not None
    assert str(hop.url) == url


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/z", ["Authorization", "Cookie", "Host", "X-A"]),
        ("http://a.test:81/", ["Authorization", "Cookie", "X-A"]),
        ("http://b.a.test/", ["Authorization", "Cookie", "X-A"]),
        ("http://xa.test/", ["X-A"]),
        ("//b.test/", ["Host", "X-A"]),
    ],
)
def test_what_other_sites_get(location: str, kept: list[str]) -> None:
    headers = {"Authorization": "x", "Cookie": "a=b", "Host": "own.test", "X-A": "b"}
    hop = follow(302, location, headers=headers)
    assert hop is not None
    assert sorted(hop.headers) == kept


@pytest.mark.parametrize(
    ("url", "location", "referer"),
    [
        ("http://me:p@a.test/x", "/z", "http://a.test/x"),
        ("https://a.test/x", "https://b.test/", "https://a.test/x"),
        ("https://a.test/x", "http://a.test/", ""),
    ],
)
def test_referers(url: str, location: str, referer: str) -> None:
    hop = follow(302, location, url=url)
    assert hop is not None
    assert hop.referer == referer


def test_a_location_that_is_none() -> None:
    with pytest.raises(
        BadLocation, match=r'^failed to parse Location header "http://\[": parse "http://\["'
    ):
        follow(302, "http://[")
