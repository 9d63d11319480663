from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.errors import DialError
from jsrunner.transport.url import URLError, parse, parse_websocket


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("ws://a.test", "a.test", 80, "/"),
        ("wss://a.test", "a.test", 443, "/"),
        ("ws://a.test:8080/p?q=1#f", "a.test", 8080, "/p?q=1"),
        ("WS://A.test/", "A.test", 80, "/"),
        ("ws://[::1]:9/x", "::1", 9, "/x"),
        ("ws://a.test?q", "a.test", 80, "/?q"),
        ("ws://a.test/a b", "a.test", 80, "/a%20b"),
        ("ws://a.test/ü?ü", "a.test", 80, "/%C3%BC?ü"),
        ("ws://a.test/%2F", "a.test", 80, "/%2F"),
        ("ws://a.test:/", "a.test", 0, "/"),
    ],
)
def test_websocket_urls(text: str, host: str, port: int, target: str) -> None:
    found = parse_websocket(text)
    assert (found.host, found.port, found.target) == (host, port, target)
    assert found.secure == text.lower().startswith("wss")


@pytest.mark.parametrize(
    "text",
    ["", "http://a.test", "a.test", "//a.test", "ws://user@a.test", "ws://u:p@a.test", "undefined"],
)
def test_what_is_no_websocket_url(text: str) -> None:
    with pytest.raises(DialError, match="malformed ws or wss URL"):
        parse_websocket(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ws://a:1808x", 'invalid port ":1808x" after host'),
        (":x", "missing protocol scheme"),
        ("a:b", None),
        ("1a:b", "first path segment in URL cannot contain colon"),
        ("ws://a/%zz", 'invalid URL escape "%zz"'),
        ("ws://a\x7f/", "net/url: invalid control character in URL"),
        ("ws://[::1", "missing ']' in host"),
        ("ws://a b/", 'invalid character " " in host name'),
    ],
)
def test_what_cannot_be_parsed(text: str, reason: str | None) -> None:
    if reason is None:
        assert parse(text).scheme == "a"
        return
    with pytest.raises(URLError) as caught:
        parse(text)
    assert str(caught.value).endswith(f": {reason}")
    assert str(caught.value).startswith('parse "')


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for candidate in (text, "ws://" + text, "http://h/" + text):
        try:
            found = str(parse(candidate))
        except URLError as error:
            found = str(error)
        assert isinstance(found, str)


@given(st.text("abc/%20?=&", max_size=30))
def test_what_is_written_is_read_again(path: str) -> None:
    try:
        found = parse("http://h/" + path)
    except URLError:
        return
    assert parse(str(found)) == found


def test_parts() -> None:
    url = parse("HTTPS://me:p%40ss@Host.test:8443/a%2Fb/c?d=e?f#g")
    assert (url.scheme, url.user, url.authority) == ("https", "me:p%40ss", "Host.test:8443")
    assert (url.host, url.port) == ("Host.test", 8443)
    assert (url.path, url.query, url.fragment) == ("/a%2Fb/c", "d=e?f", "g")
    assert url.secure
    assert url.target == "/a%2Fb/c?d=e?f"
    assert url.credentials == ("me", "p@ss")
    assert url.masked() == "https://****:****@Host.test:8443/a%2Fb/c?d=e?f#g"
    assert url.without_user() == "https://Host.test:8443/a%2Fb/c?d=e?f#g"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("http://a", "http://a"), ("http://a/b c", "http://a/b%20c"), ("http://a/%62", "http://a/%62"),
        ("http://a/ü?ü=1", "http://a/%C3%BC?ü=1"), ("http://a?", "http://a?"), ("http://a#", "http://a"),
        ("HTTP://A/", "http://A/"), ("mailto:x@y", "mailto:x@y"), ("/a?b", "/a?b"), ("", ""),
        ("http://me@a/", "http://me@a/"), ("//a/b", "//a/b"),
    ],
)  # fmt: skip
def test_text(text: str, written: str) -> None:
    assert str(parse(text)) == written


def test_a_user_without_password_is_masked() -> None:
    assert parse("http://me@a/").masked() == "http://****@a/"
    assert parse("http://a/").masked() == "http://a/"
