"""k6/http as a script sees it, against real servers: requests, parameters."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from in_process import Stage

    Visit = Callable[..., Stage]
    Ask = Callable[..., Any]


# -- requests and their bodies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        ("http.get(U + '/anything?a=1')", ["GET", "/anything?a=1", ""]),
        ("http.post(U + '/anything', 'text')", ["POST", "/anything", "text"]),
        ("http.put(U + '/anything', 'text')", ["PUT", "/anything", "text"]),
        ("http.patch(U + '/anything', 'text')", ["PATCH", "/anything", "text"]),
        ("http.del(U + '/anything')", ["DELETE", "/anything", ""]),
        ("http.del(U + '/anything', 'text')", ["DELETE", "/anything", "text"]),
        ("http.options(U + '/anything')", ["OPTIONS", "/anything", ""]),
        ("http.request('PROPFIND', U + '/anything', 'text')", ["PROPFIND", "/anything", "text"]),
        ("http.post(U + '/anything', new Uint8Array([65, 66]).buffer)", ["POST", "/anything", "AB"]),
        ("http.post(U + '/anything', new Uint8Array([64, 65, 66]).subarray(1))", ["POST", "/anything", "AB"]),
        ("http.post(U + '/anything', 'é\\u0000z')", ["POST", "/anything", "Ã©\0z"]),
        ("http.post(U + '/anything', 'x'.repeat(5000))", ["POST", "/anything", "x" * 5000]),
        ("http.post(U + '/anything', { b: [1, 2.5], a: 'é &', c: null })",
         ["POST", "/anything", "a=%C3%A9+%26&b=1&b=2.5&c="]),
        ("http.get(http.url`${U}/anything?q=${1}`)", ["GET", "/anything?q=1", ""]),
        ("http.get(U + '/anything?q=' + encodeURIComponent('\\ud83d\\ude00'))",
         ["GET", "/anything?q=%F0%9F%98%80", ""]),
    ],
)  # fmt: skip
def test_requests(call: str, seen: list[str], ask: Ask) -> None:
    found = ask(f"{call}.json()")
    assert [found["method"], found["path"], found["body"]] == seen


def test_numbers_in_forms_are_written_as_in_go(ask: Ask) -> None:
    form = '{ a: 1e21, b: 1e-7, c: 123456.5, d: 1e6 + 0.5, e: NaN, f: -Infinity, g: -0, h: true, i: "(!\'*)" }'
    assert ask(f"http.post(U + '/echo', {form}).body") == (
        "a=1e%2B21&b=1e-07&c=123456.5&d=1.0000005e%2B06&e=NaN&f=-Inf&g=-0&h=true&i=%28%21%27%2A%29"
    )


def test_other_values_in_forms_are_written_as_in_go(ask: Ask) -> None:
    """Recorded with k6: `%v` of what a value becomes in Go."""
    form = """{
      a: null, b: undefined, c: [null, 1, undefined], d: new Date(1700000000123), e: new Date(NaN), f: 10n,
      g: new Uint8Array(2), h: new Float32Array([1.5, 2]), i: new Map([['a', 1], ['b', { d: 2, c: [true] }]]),
      j: new Set([1, 'x']), k: Symbol('s'), l: Object(1.5), m: Object(false),
    }"""
    moment = time.strftime("%Y-%m-%d+%H:%M:%S.123+%z+%Z", time.localtime(1700000000)).replace(
        ":", "%3A"
    )
    moment = moment.replace("++", "+%2B")
    assert ask(f"http.post(U + '/echo', {form}).body") == (
        f"a=&b=&c=&c=1&c=&d={moment}&e=&f=10&g=%5B0+0%5D&h=%5B1.5+2%5D&"
        "i=%5B%5Ba+1%5D+%5Bb+map%5Bc%3A%5Btrue%5D+d%3A2%5D%5D%5D&j=1&j=x&k=s&l=1.5&m=false"
    )


def test_a_form_takes_no_nested_values(visit: Visit) -> None:
    done = visit("return http.post(U + '/echo', { a: { b: 1 }, c: [[1]] }).body;")
    assert done.result == "a=&c="
    assert [text.split(";")[0] for text in done.logged("warning")] == [
        "cannot urlencode a nested map[string]interface {} value in a request form body",
        "cannot urlencode a nested []interface {} value in a request form body",
    ]


def test_files_go_out_as_multipart(ask: Ask) -> None:
    fields = """{
      text: 'é', number: 5,
      one: http.file('abc', 'a"b.txt', 'text/x'), two: http.file(new Uint8Array([0, 255]).buffer, 'b.bin'),
    }"""
    found = ask(f"http.post(U + '/form', {fields}).json()")
    assert found == {
        "type": "multipart/form-data",
        "fields": [
            ["number", "5"],
            ["one", 'a"b.txt', "text/x", "abc"],
            ["text", "é"],
            ["two", "b.bin", "application/octet-stream", "\x00\xff"],
        ],
    }


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("http.post(U, [1])", "unknown request body type []interface {}"),
        ("http.post(U, 5)", "unknown request body type int64"),
        ("http.post(U, new Int16Array(2))", "unknown request body type []int16"),
        ("http.post(U, http.file('x'))", "unknown request body type *http.FileData"),
        ("http.get({ a: 1 })", "invalid URL: '#map[a:1]'"),
        ("http.get(5.5)", "invalid URL: '#5.5'"),
        ("http.get()", "invalid URL: '#<nil>'"),
        ("http.get('http://[::1')", 'invalid URL: parse "http://[::1": '),
        ("http.get(U, { compression: 'lzma' })", "unknown compression algorithm lzma, supported algorithms are "),
        ("http.get(U, { responseType: 'json' })", "json does not belong to ResponseType values"),
        ("http.get(U, { responseCallback: 5 })", "unsupported responseCallback"),
        ("http.get(U, { timeout: '5 apples' })", "invalid timeout value: "),
        ("http.get(U, { timeout: true })",
         "invalid timeout value: unable to use type bool as a duration value"),
        ("http.get(U, { tags: { a: null } })",
         "invalid HTTP request metric tags: invalid value for metric tag 'a': "),
    ],
)  # fmt: skip
def test_refusals(call: str, error: str, visit: Visit) -> None:
    """They are responses, and exceptions if the script wants them so."""
    done = visit(
        f"const r = {call}; return [r.status, r.error, r.body.length, r.request, r.error_code];"
    )
    assert done.failure is None
    status, text, size, request, code = done.result
    assert (status, size, request) == (0, 0, None)
    assert text.startswith(error)
    assert code == (1020 if error.startswith("invalid URL") else 0)
    assert done.logged("warning") == ["Request Failed"]
    assert "http_reqs" not in done.samples()

    done = visit(f"try {{ {call}; }} catch (e) {{ return [e.name, e.message]; }}", throw=True)
    assert done.failure is None
    assert done.result[0] == "GoError"
    assert done.result[1].startswith(error)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("http.get('http://127.0.0.1')", "Making http requests in the init context is not supported"),
        ("http.batch([])", "Using batch in the init context is not supported"),
        ("http.asyncRequest('GET', 'http://x')",
         "Making http requests in the init context is not supported"),
        ("http.cookieJar()", "Making cookie jars in the init context is not supported"),
        ("http.file(5)", "invalid type int64, expected string or ArrayBuffer"),
        ("http.expectedStatuses()", "no arguments"),
        ("http.expectedStatuses('x')", "argument number 1 to expectedStatuses was neither"),
        ("http.expectedStatuses(1, { min: 1, max: 2.5 })",
         "both min and max need to be integers for argument number 2"),
        ("http.setResponseCallback(5)", "unsupported argument, expected http.expectedStatuses"),
    ],
)  # fmt: skip
def test_what_init_code_may_not_do(code: str, error: str, ask: Ask) -> None:
    init = f"let said; try {{ {code}; }} catch (e) {{ said = `${{e}}`; }}"
    assert ask("said", init=init).startswith(f"GoError: {error}")


# -- parameters ------------------------------------------------------------------------------------------


def test_headers(ask: Ask) -> None:
    headers = ask("""http.get(U + '/anything', {
      headers: { 'x-a': 1, 'User-Agent': '', Host: 'other.test', 'content-type': 'x/y', 'X-E': '' },
    }).json().headers""")
    assert headers == {"content-type": "x/y", "host": "other.test", "x-a": "1", "x-e": ""}
    plain = ask("http.get(U + '/anything').json().headers")
    assert list(plain) == ["host", "user-agent"]
    assert plain["user-agent"] == "stage/1"
    assert ask("http.get(U + '/anything').json('headers.user-agent')", user_agent="mine/1") == "mine/1"
    form = ask("http.post(U + '/anything', { a: 1 }).json('headers.content-type')")
    assert form == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ("{ 'a b': '1' }", 'net/http: invalid header field name "a b"'),
        ("{ a: 'x\\ny' }", 'net/http: invalid header field value for "A"'),
    ],
)
def test_headers_that_are_none(headers: str, error: str, visit: Visit) -> None:
    done = visit(f"const r = http.get(U, {{ headers: {headers} }}); return [r.error, r.error_code];")
    assert done.result == [error, 1000]
    assert done.samples()["http_reqs"][0][0]["error_code"] == "1000"


def test_a_wrong_content_length_is_told(visit: Visit) -> None:
    done = visit("return http.post(U + '/echo', 'abc', { headers: { 'Content-Length': '9' } }).body;")
    assert done.result == "abc"
    assert 'Content-Length header "9" in the POST request' in done.logged("warning")[0]


@pytest.mark.parametrize("codings", ["gzip", "deflate", "br", "zstd", "gzip, deflate", ""])
def test_compression(codings: str, ask: Ask) -> None:
    """The server returns the compressed body with its Content-Encoding, and the client decodes it."""
    assert (
        ask(f"http.post(U + '/echo', 'text'.repeat(99), {{ compression: '{codings}' }}).body")
        == "text" * 99
    )


def test_an_own_content_encoding_stays(visit: Visit) -> None:
    done = visit("""return http.post(U + '/anything', 'x', {
      compression: 'gzip', headers: { 'Content-Encoding': 'mine' } }).json('headers.content-encoding');""")
    assert done.result == "mine"
    assert "has precedence" in done.logged("warning")[0]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip+deflate", "identity"])
def test_decompression(coding: str, ask: Ask) -> None:
    body = ask(f"http.get(U + '/zipped/{coding}').body")
    assert body
    assert body == ask("http.get(U + '/zipped/gzip').body")


def test_broken_compression(visit: Visit) -> None:
    done = visit(
        "const r = http.get(U + '/zipped/gzip?bad=1'); return [r.status, r.error_code, r.error];"
    )
    text = "error decompressing response body (gzip: invalid header)"
    assert done.result == [0, 1701, f"error decompressing response body ({text})"]


def test_response_types(ask: Ask) -> None:
    found = ask("""['text', 'binary', 'none'].map((responseType) => {
      const { body } = http.get(U + '/bytes/200', { responseType });
      return body === null ? null : [typeof body, body.length ?? body.byteLength, body instanceof ArrayBuffer];
    })""")
    # What is no UTF-8 becomes U+FFFD in a text.
    assert found == [["string", 200, False], ["object", 200, True], None]
    assert ask("http.get(U + '/anything').body", discard_response_bodies=True) is None
    assert (
        ask("http.get(U + '/bytes/3', { responseType: 'text' }).body", discard_response_bodies=True)
        == "\0\1\2"
    )


@pytest.mark.parametrize("given", ["'500ms'", "500", "'0.0001h'"])
def test_timeouts(given: str, visit: Visit) -> None:
    done = visit(f"""const r = http.get(U + '/delay/9000', {{ timeout: {given} }});
    return [r.status, r.error, r.error_code, r.body, r.timings.waiting > 0];""")
    assert done.result == [0, "request timeout", 1050, None, True]
    tags, _ = done.samples()["http_reqs"][0]
    assert (tags["error_code"], tags["expected_response"]) == ("1050", "false")


def test_throw(visit: Visit) -> None:
    done = visit("http.get(U + '/raw', { throw: true });")
    assert re.fullmatch(
        r'Uncaught \(in promise\) GoError: Get "http://127\.0\.0\.1:\d+/raw": EOF\n\tat .*',
        done.failure or "",
        re.DOTALL,
    )
    done = visit("return http.get(U + '/raw', { throw: false }).error;", throw=True)
    assert done.result == "EOF"


def test_statuses_that_are_expected(visit: Visit) -> None:
    def failed(done: Stage) -> dict[str, str]:
        return {
            tags["status"]: tags.get("expected_response", "") for tags, _ in done.samples()["http_reqs"]
        }

    code = "for (const s of [200, 302, 404, 418]) http.get(`${U}/status/${s}`%s);"
    assert failed(visit(code % "")) == {"200": "true", "302": "true", "404": "false", "418": "false"}
    own = ", { responseCallback: http.expectedStatuses(404, { min: 410, max: 420 }) }"
    assert failed(visit(code % own)) == {"200": "false", "302": "false", "404": "true", "418": "true"}
    done = visit(code % ", { responseCallback: null }")
    assert set(failed(done).values()) == {""}
    done = visit("http.setResponseCallback(http.expectedStatuses(404));" + code % "")
    assert failed(done) == {"200": "false", "302": "false", "404": "true", "418": "false"}
    done = visit("http.setResponseCallback(null);" + code % "")
    assert set(failed(done).values()) == {""}
    assert "http_req_failed" not in done.samples()
