"""References and URLs: RFC 3986's examples, parts, and what is no URL."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsrunner.modules.k6.html import link_parts
from jsrunner.transport.url import URL, URLError, parse, resolve

BASE = "http://a/b/c/d;p?q"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [  # RFC 3986, 5.4
        ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"), ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"), ("#s", "http://a/b/c/d;p?q#s"), ("g#s", "http://a/b/c/g#s"),
        ("g?y#s", "http://a/b/c/g?y#s"), (";x", "http://a/b/c/;x"), ("g;x?y#s", "http://a/b/c/g;x?y#s"),
        ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"), ("./", "http://a/b/c/"),
        ("..", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"),
        ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("/./g", "http://a/g"),
        ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"), ("./g/.", "http://a/b/c/g/"), ("g/../h", "http://a/b/c/h"),
        ("g?y/../x", "http://a/b/c/g?y/../x"), ("g#s/../x", "http://a/b/c/g#s/../x"),
        # and others
        ("mailto:x@y", "mailto:x@y"), ("g?", "http://a/b/c/g?"), ("//u:p@h:80/x", "http://u:p@h:80/x"),
        ("a b", "http://a/b/c/a%20b"), ("a%20b", "http://a/b/c/a%20b"), ("ü", "http://a/b/c/%C3%BC"),
        ("#a b", "http://a/b/c/d;p?q#a%20b"),
    ],
)  # fmt: skip
def test_references(reference: str, expected: str) -> None:
    assert str(resolve(BASE, reference)) == expected


def test_a_page_without_a_path() -> None:
    assert str(resolve("http://a.test", "x")) == "http://a.test/x"
    assert str(resolve("http://a.test", "")) == "http://a.test"
    assert str(resolve("", "x/../y?q")) == "/y?q"


@pytest.mark.parametrize(
    "text",
    [":x", "%zz", "http://[::1", "http://a:b/", "http://a b/", "http://a/%4", "#%", "a\nb", "1a:b",
     "http://u\\@h/"],
)  # fmt: skip
def test_no_urls(text: str) -> None:
    assert resolve(BASE, text) is None
    assert resolve(text, BASE) is None


def test_what_is_opaque_may_be_anything() -> None:
    assert parse("x:y/%g") == URL(scheme="x", opaque="y/%g")


@pytest.mark.parametrize(
    ("text", "host", "hostname", "port"),
    [
        ("http://a.test/", "a.test", "a.test", ""),
        ("http://a.test:80/", "a.test", "a.test", "80"),
        ("https://a.test:80/", "a.test:80", "a.test", "80"),
        ("https://a.test:443", "a.test", "a.test", "443"),
        ("http://[::1]:8080/", "[::1]:8080", "::1", "8080"),
        ("http://[::1]/", "[::1]", "[::1]", ""),
        ("http://a.test:/", "a.test:", "a.test", ""),
        ("/x", "", "", ""),
    ],
)
def test_hosts(text: str, host: str, hostname: str, port: str) -> None:
    found = link_parts(parse(text))
    assert (found["host"], found["hostname"], found["port"]) == (host, hostname, port)


def test_parts() -> None:
    assert link_parts(parse("HTTPS://us%65r:p%40ss@h.test/a%20b;c?x=%20#fr%20ag")) == {
        "hash": "#fr ag", "host": "h.test", "hostname": "h.test", "origin": "https://h.test",
        "password": "p@ss", "pathname": "/a b;c", "port": "", "protocol": "https",
        "search": "?x=%20", "username": "user",
    }  # fmt: skip
    assert set(link_parts(URL()).values()) == {"", ":"}
    assert link_parts(URL())["protocol"] == ":"


def test_the_origin_of_a_file_is_the_file() -> None:
    assert link_parts(parse("file:///a/b"))["origin"] == "file:///a/b"


@settings(deadline=None)
@given(st.text(alphabet="abc:/?#[]@.%20;=-", max_size=20))
def test_a_url_keeps_its_spelling(text: str) -> None:
    try:
        written = str(parse(text))
    except URLError:
        return
    assert str(parse(written)) == written
