from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.transport.cookies import CookieJar, SetCookie, parse_date, parse_set_cookie, sanitized
from jsrunner.transport.url import parse

NOW = 1_700_000_000.0
TOKEN = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)


def sent(jar: CookieJar, url: str, now: float = NOW) -> str:
    return jar.header(parse(url), now)


def stored(url: str, *lines: str) -> CookieJar:
    jar = CookieJar()
    jar.store(parse(url), lines, NOW)
    return jar


@given(TOKEN, st.text("abcXYZ019!#$%&'()*+-./:<=>?@[]^_`{|}~", max_size=12))
def test_what_a_server_sets_comes_back(name: str, value: str) -> None:
    assert sent(stored("http://a.test/", f"{name}={value}"), "http://a.test/") == f"{name}={value}"


@pytest.mark.parametrize("line", ["", "novalue", "=v", "a b=c", "n=\x01", 'n=a"b', "n\x7f=1"])
def test_lines_that_are_no_cookies(line: str) -> None:
    assert parse_set_cookie(line) is None


def test_attributes() -> None:
    cookie = parse_set_cookie(
        'n="quoted"; Domain=.A.test; PATH=/x; Secure; HttpOnly; Max-Age=60; '
        "Expires=Wed, 21 Oct 2015 07:28:00 GMT; SameSite=Lax"
    )
    assert cookie == SetCookie(
        "n", "quoted", ".A.test", "/x", http_only=True, secure=True, max_age=60, expires=1445412480.0
    )


@pytest.mark.parametrize(
    ("line", "url", "comes"),
    [
        ("n=1", "http://a.test/other", True),
        ("n=1", "http://b.a.test/", False),
        ("n=1; Domain=a.test", "http://b.a.test/", True),
        ("n=1; Domain=.A.TEST", "http://a.test/", True),
        ("n=1; Domain=b.test", "http://a.test/", False),
        ("n=1; Domain=b.test", "http://b.test/", False),
        ("n=1; Path=/p", "http://a.test/p", True),
        ("n=1; Path=/p", "http://a.test/p/q?x", True),
        ("n=1; Path=/p", "http://a.test/pq", False),
        ("n=1; Path=/p/", "http://a.test/p", False),
        ("n=1; Secure", "http://a.test/", False),
        ("n=1; Secure", "wss://a.test/", True),
        ("n=1; Secure", "ws://a.test/", False),
        ("n=1", "http://A.TEST:8080/", True),
        ("n=1; Max-Age=0", "http://a.test/", False),
        ("n=1; Max-Age=-5", "http://a.test/", False),
        ("n=1; Max-Age=1", "http://a.test/", True),
        ("n=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "http://a.test/", False),
        ("n=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Max-Age=9", "http://a.test/", True),
        ("n=1; Expires=nonsense", "http://a.test/", True),
    ],
)
def test_where_a_cookie_goes(line: str, url: str, comes: bool) -> None:
    assert sent(stored("https://a.test/", line), url) == ("n=1" if comes else "")


def test_default_path() -> None:
    jar = stored("http://a.test/dir/page?q", "n=1")
    assert sent(jar, "http://a.test/dir/other") == "n=1"
    assert sent(jar, "http://a.test/dir") == "n=1"
    assert sent(jar, "http://a.test/") == ""


def test_order_longer_paths_then_older() -> None:
    jar = stored("http://a.test/", "a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "a=4; Path=/")
    assert sent(jar, "http://a.test/x/y") == "b=2; a=4; c=3"


def test_expiry_in_time() -> None:
    jar = stored("http://a.test/", "n=1; Max-Age=10", "m=2")
    assert sent(jar, "http://a.test/", NOW + 9) == "n=1; m=2"
    assert sent(jar, "http://a.test/", NOW + 10) == "m=2"
    assert bool(jar)


def test_addresses_have_no_domains() -> None:
    assert sent(stored("http://127.0.0.1/", "n=1; Domain=127.0.0.1"), "http://127.0.0.1:9/") == "n=1"
    assert sent(stored("http://127.0.0.1/", "n=1; Domain=0.0.1"), "http://127.0.0.1/") == ""


def test_set_and_delete() -> None:
    jar, url = CookieJar(), parse("http://a.test/")
    assert not jar
    jar.set(url, SetCookie("n", "1"), NOW)
    jar.set(url, SetCookie("m", "2"), NOW)
    assert jar.pairs(url, NOW) == [("n", "1"), ("m", "2")]
    jar.delete(url, "n", NOW)
    assert jar.pairs(url, NOW) == [("m", "2")]


@pytest.mark.parametrize(
    ("text", "max_age"), [("0", -1), ("-5", -1), ("5", 5), ("05", 0), ("x", 0), ("", 0), ("1.5", 0)]
)
def test_max_age(text: str, max_age: int) -> None:
    cookie = parse_set_cookie(f"a=b; Max-Age={text}")
    assert cookie is not None
    assert cookie.max_age == max_age


def test_dates() -> None:
    for zone in ("GMT", "-0000", "+0000", ""):
        assert parse_date(f"Mon, 02 Jan 2006 15:04:05 {zone}") == 1136214245.0
    assert parse_date("Mon, 02-Jan-2006 15:04:05 GMT") == 1136214245.0
    with pytest.raises(ValueError, match="tomorrow"):
        parse_date("tomorrow")


@given(st.text(max_size=40))
def test_any_line_can_be_read(line: str) -> None:
    cookie = parse_set_cookie(line)
    assert cookie is None or cookie.name


def test_values_are_sanitized() -> None:
    assert sanitized("a", 'b"c;d\\e\n') == "a=bcde"
    assert sanitized("a", "b c,d") == 'a="b c,d"'
    assert sanitized("a\r\nb", "c") == "a--b=c"
