"""k6/http as a script sees it, against real servers."""

from __future__ import annotations

import base64
import contextlib
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from in_process import Stage
from servers import drain, read_request

from jsrunner.options.model import Options

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from http_sites import Site

    Visit = Callable[..., Stage]
    Ask = Callable[..., Any]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def stage(tmp_path: Path, site: Site) -> Iterator[Callable[..., Stage]]:
    """A stage whose setup() has this body. It may use `http`, `U` (the server) and `S` (with TLS)."""
    made: list[Stage] = []

    def stage(code: str, *, env: dict[str, str] | None = None, init: str = "", **options: Any) -> Stage:
        source = f"""import http from 'k6/http';
        const {{ U, S }} = __ENV;
        {init};
        export async function setup() {{ {code} }}
        export default function () {{}}"""
        environment = {"U": site.http, "S": site.https, **(env or {})}
        made.append(Stage(tmp_path, source, environment=environment, options=Options(**options)))
        return made[-1]

    yield stage
    for one in made:
        if module := one.vu.modules.get("http"):
            module.interrupted()  # which closes its connections


@pytest.fixture
def visit(stage: Callable[..., Stage]) -> Visit:
    """Run such a stage to its end."""

    def visit(code: str, **more: Any) -> Stage:
        return stage(code, **more).run()

    return visit


@pytest.fixture
def ask(visit: Visit) -> Ask:
    """The value of an expression, and that nothing was logged."""

    def ask(expression: str, **more: Any) -> Any:
        done = visit(f"return {expression};", **more)
        assert done.failure is None
        assert done.logged("warning") == []
        return done.result

    return ask


# -- requests and their bodies -------------------------------------------------------------------------


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


# -- parameters ----------------------------------------------------------------------------------------


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
    """What was sent comes back, labelled, and is unpacked."""
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


@pytest.mark.parametrize("given", ["'50ms'", "50", "'0.00001h'"])
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


# -- redirections --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:returning HTTPException object:DeprecationWarning")
def test_redirections(visit: Visit) -> None:
    done = visit("""const r = http.get(U + '/redirect/3');
    return [r.status, r.url.slice(U.length), r.request.url.slice(U.length)];""")
    assert done.result == [200, "/anything", "/redirect/3"]
    found = done.samples()["http_reqs"]
    assert sorted(tags["url"].rpartition("1:")[2].partition("/")[2] for tags, _ in found) == [
        "anything", "redirect/1", "redirect/2", "redirect/3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "method", "seen"),
    [
        (301, "POST", ["GET", ""]),
        (302, "PUT", ["GET", ""]),
        (303, "DELETE", ["GET", ""]),
        (307, "POST", ["POST", "body"]),
        (308, "PUT", ["PUT", "body"]),
    ],
)
def test_what_is_redirected(status: int, method: str, seen: list[str], ask: Ask) -> None:
    url = f"U + '/redirect-to?status={status}&url=/anything'"
    found = ask(f"http.request('{method}', {url}, 'body').json()")
    assert [found["method"], found["body"]] == seen


@pytest.mark.filterwarnings("ignore:returning HTTPException object:DeprecationWarning")
def test_limits_of_redirections(visit: Visit) -> None:
    code = "return http.get(U + '/redirect/12'%s).url.slice(U.length);"
    done = visit(code % "")
    assert done.result == "/redirect/2"
    assert done.logged("warning")[0].startswith(
        "Stopped after 11 redirects and returned the redirection; "
    )
    done = visit(code % ", { redirects: 2 }")
    assert (done.result, done.logged("warning")) == ("/redirect/10", [])
    done = visit(code % "", max_redirects=0)
    assert (done.result, done.logged("warning")) == ("/redirect/12", [])


def test_a_location_that_is_none(visit: Visit) -> None:
    done = visit(
        "const r = http.get(U + '/redirect-to?url=http://[::1'); return [r.error_code, r.status];"
    )
    assert done.result == [1000, 0]


# -- cookies -------------------------------------------------------------------------------------------


def test_cookies(ask: Ask) -> None:
    found = ask("""(() => {
      const set = http.get(U + '/cookies/set?a=1&b=two');
      const jar = http.cookieJar();
      jar.set(U, 'c', 'three', { path: '/anything', max_age: 100, secure: false });
      jar.set(U, 'd', 'never', { max_age: -1 });
      const first = http.get(U + '/anything', { cookies: { e: 5, a: { value: 'mine', replace: true } } });
      jar.delete(U, 'b');
      const second = http.get(U + '/anything').json('cookies');
      const known = jar.cookiesForURL(U + '/anything');
      jar.clear(U + '/anything');
      return [set.cookies.a[0].value, first.json('cookies'), first.request.cookies, second, known,
        http.get(U + '/anything').json('cookies')];
    })()""")
    shown = [{"name": "e", "value": "5", "replace": False}]
    assert found[0] == "1"
    assert found[1] == {"a": "mine", "b": "two", "c": "three", "e": "5"}
    assert found[2]["e"] == shown
    assert found[3] == {"a": "1", "c": "three"}
    assert found[4] == {"a": ["1"], "c": ["three"]}
    # Cookies whose path is not the default one stay: they are other cookies.
    assert found[5] == {"c": "three"}


def test_a_response_shows_its_cookies(ask: Ask) -> None:
    line = "a=b; Path=/x; Domain=127.0.0.1; Max-Age=7; HttpOnly; Secure; Expires=Mon, 02 Jan 2006 15:04:05 GMT"
    found = ask(f"http.get(U + '/reply?h=' + encodeURIComponent('Set-Cookie: {line}')).cookies")
    assert found == {
        "a": [{
            "name": "a", "value": "b", "path": "/x", "domain": "127.0.0.1", "max_age": 7, "http_only": True,
            "secure": True, "expires": 1136214245000,
        }]
    }  # fmt: skip


def test_own_jars(ask: Ask) -> None:
    found = ask("""(() => {
      const jar = new http.CookieJar();
      jar.set(U, 'a', '1');
      http.get(U + '/cookies/set?b=2', { jar });
      return [http.get(U + '/anything', { jar }).json('cookies'), http.get(U + '/anything').json('cookies'),
        Object.keys(jar).sort(), jar.cookiesForURL('ftp://127.0.0.1/')];
    })()""")
    assert found == [{"a": "1", "b": "2"}, {}, ["clear", "cookiesForURL", "delete", "set"], {}]


def test_a_cookie_from_a_redirection_is_sent_at_once(ask: Ask) -> None:
    assert ask("http.get(U + '/redirect-to?url=/anything&cookie=a%3D1').json('cookies')") == {"a": "1"}


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("jar.set('http://[', 'a', 'b')", "parse "),
        (
            "jar.set(U, 'a', 'b', { expires: 'tomorrow' })",
            'unable to parse "expires" date string "tomorrow"',
        ),
        ("jar.delete(U, '')", "cookie: is null"),
        ("jar.cookiesForURL('%')", "parse "),
    ],
)
def test_errors_of_jars(call: str, error: str, ask: Ask) -> None:
    code = f"(() => {{ const jar = new http.CookieJar(); try {{ {call}; }} catch (e) {{ return e.message; }} }})()"
    assert ask(code).startswith(error)


def test_jars_are_let_go_with_their_objects(stage: Callable[..., Stage]) -> None:
    here = stage("for (let i = 0; i < 50; i += 1) new http.CookieJar(); http.get(U);")
    here.run()
    assert len(here.vu.jars) < 50


# -- authentication ------------------------------------------------------------------------------------


def test_basic_authentication(visit: Visit) -> None:
    done = visit("""const at = U.replace('://', '://me:pass@') + '/basic/me/pass';
    return [http.get(at).json('user'), http.get(U + '/basic/me/pass').status];""")
    assert done.result == ["me", 401]
    urls = {tags["url"].partition("//")[2].partition("@")[0] for tags, _ in done.samples()["http_reqs"]}
    assert "****:****" in urls


def test_digest_authentication(visit: Visit) -> None:
    done = visit("""const at = U.replace('://', '://me:pass@') + '/digest/me/pass?a=1';
    const good = http.post(at, 'body', { auth: 'digest' });
    const bad = http.get(at.replace('pass@', 'no@'), { auth: 'digest' });
    return [good.json('user'), good.json('uri'), good.json('body'), bad.status];""")
    assert done.result == ["me", "/digest/me/pass?a=1", "body", 401]
    found = {
        (tags["method"], tags["status"], tags["expected_response"])
        for tags, _ in done.samples()["http_reqs"]
    }
    # The 401 that a handshake begins with is no failure; the second one is.
    assert found == {
        ("POST", "401", "true"), ("POST", "200", "true"), ("GET", "401", "true"), ("GET", "401", "false"),
    }  # fmt: skip


def test_ntlm_authentication(
    visit: Visit, serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spnego = pytest.importorskip("spnego")
    accounts = tmp_path / "accounts"
    accounts.write_text("DOMAIN:me:pass\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(accounts))

    def answer(connection: socket.socket) -> None:
        context: Any = None
        while request := read_request(connection):
            given = re.search(rb"Authorization: NTLM (\S+)", request)
            challenge = b"NTLM"
            if given and not context:
                context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
                challenge += b" " + base64.b64encode(context.step(base64.b64decode(given[1])))
            elif given:
                with contextlib.suppress(spnego.exceptions.SpnegoError):
                    context.step(base64.b64decode(given[1]))
                if context.complete:
                    connection.sendall(OK)
                    drain(connection)
                    return
                context = None
            connection.sendall(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: "
                + challenge
                + b"\r\nContent-Length: 0\r\n\r\n"
            )

    done = visit(
        """const at = (user) => `http://${encodeURIComponent(user)}:pass@127.0.0.1:${__ENV.PORT}/`;
        return [http.get(at('DOMAIN\\\\you'), { auth: 'ntlm' }).status,
          http.get(at('DOMAIN\\\\me'), { auth: 'ntlm' }).status];""",
        env={"PORT": str(serve(answer).port)},
    )
    assert done.failure is None
    assert done.result == [401, 200]


# -- responses -----------------------------------------------------------------------------------------


def test_the_shape_of_a_response(visit: Visit) -> None:
    done = visit("""const r = http.get(U + '/reply?body=hi&h=X-Two:a&h=X-Two:b&h=content-type:text/x');
    console.log(r);
    return [Object.keys(r), r, JSON.parse(JSON.stringify(r)), Object.keys({ ...r }).length];""")
    names, response, again, count = done.result
    assert names == [
        "remote_ip", "remote_port", "url", "status", "status_text", "proto", "headers", "cookies", "body",
        "timings", "tls_version", "tls_cipher_suite", "ocsp", "error", "error_code", "request",
        "clickLink", "html", "json", "submitForm",
    ]  # fmt: skip
    assert count == len(names)
    assert response == again
    logged = done.logged()[0]
    assert all(f"{name}: " in logged for name in names)
    assert "json: [object Function]" in logged
    port = response["remote_port"]
    headers = response.pop("headers")
    assert headers["X-Two"] == "a, b"
    timings = response.pop("timings")
    assert timings["duration"] == pytest.approx(
        timings["sending"] + timings["waiting"] + timings["receiving"]
    )
    request = response.pop("request")
    assert request.pop("headers") == {"User-Agent": ["stage/1"]}
    assert request.pop("url") == response.pop("url")
    assert request == {"method": "GET", "body": "", "cookies": {}}
    assert response == {
        "remote_ip": "127.0.0.1", "remote_port": port, "status": 200, "status_text": "200 OK",
        "proto": "HTTP/1.1", "cookies": {}, "body": "hi", "tls_version": "", "tls_cipher_suite": "",
        "ocsp": {
            "produced_at": 0, "this_update": 0, "next_update": 0, "revoked_at": 0, "revocation_reason": "",
            "status": "",
        },
        "error": "", "error_code": 0,
    }  # fmt: skip


def test_a_response_may_be_setup_data(visit: Visit) -> None:
    """Go's JSON has its fields and no methods."""
    found = visit("return { r: http.get(U + '/reply?body=hi') };").result["r"]
    assert (found["status"], found["body"], found["request"]["method"]) == (200, "hi", "GET")
    assert "json" not in found


def test_tls(ask: Ask) -> None:
    found = ask(
        """(() => { const r = http.get(S + '/anything');
        return [r.status, r.tls_version === http.TLS_1_3, r.tls_cipher_suite, r.ocsp.status]; })()""",
        insecure_skip_tls_verify=True,
    )
    assert found[:2] == [200, True]
    assert found[2].startswith("TLS_")
    assert found[3] == "unknown"


def test_json_of_a_response(ask: Ask) -> None:
    found = ask("""(() => {
      const r = http.get(U + '/reply?body=' + encodeURIComponent('{"a":[{"b":1},{"b":2}],"c":null}'));
      const binary = http.get(U + '/reply?body=[7]', { responseType: 'binary' });
      return [r.json(), r.json('a.#.b'), r.json('a.1.b'), r.json('c'), r.json('x') === undefined,
        binary.json(), binary.json('0')];
    })()""")
    assert found == [
        {"a": [{"b": 1}, {"b": 2}], "c": None}, [1, 2], 2, None, True, [7], 7,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("http.get(U + '/reply?body=' + encodeURIComponent('[1,\\n x]')).json()",
         "cannot parse json due to an error at line 2, character 2 , error: "
         "invalid character 'x' looking for beginning of value"),
        ("http.get(U + '/bytes/3', { responseType: 'none' }).json()",
         "the body is null so we can't transform it to JSON - this likely was because of a request "
         "error getting the response"),
    ],
)  # fmt: skip
def test_json_that_is_none(call: str, error: str, ask: Ask) -> None:
    assert ask(f"(() => {{ try {{ {call}; }} catch (e) {{ return e.message; }} }})()") == error


def test_pages(ask: Ask) -> None:
    found = ask("""(() => {
      const page = http.get(U + '/html');
      const sent = page.submitForm({ fields: { a: 'other' } }).json();
      return [page.html('h1').text(), page.html().find('li').size(), page.clickLink().json('path'),
        sent.method, sent.body, page.html('a').get(0).pathname()];
    })()""")
    assert found == ["Hello", 3, "/anything?from=link", "POST", "a=other&s=y", "/anything"]


# -- many at once --------------------------------------------------------------------------------------


def test_batches(ask: Ask) -> None:
    found = ask("""(() => {
      const list = http.batch([
        U + '/anything', ['POST', U + '/anything', 'x', { headers: { 'X-A': '1' } }],
        { method: 'put', url: U + '/anything', body: { a: 1 } }, { method: 'GET', url: U + '/anything', body: 'no' },
        http.url`${U}/anything`,
      ]);
      const named = http.batch({ one: U + '/status/201', two: ['GET', U + '/status/404'] });
      return [list.map((r) => [r.json('method'), r.json('body')]), named.one.status, named.two.status,
        Array.isArray(list), http.batch([])];
    })()""")
    assert found == [
        [["GET", ""], ["POST", "x"], ["PUT", "a=1"], ["GET", ""], ["GET", ""]], 201, 404, True, [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "most"),
    [({}, 6), ({"batch_per_host": 2}, 2), ({"batch": 3}, 3), ({"batch_per_host": 20}, 9)],
)
def test_limits_of_batches(options: dict[str, int], most: int, ask: Ask) -> None:
    key = f"batch-{most}-{len(options)}"
    code = f"""(() => {{
      const at = `${{U}}/gate?key={key}`;
      http.batch(new Array(9).fill(at + '&ms=300'));
      return http.get(at).json();
    }})()"""
    assert ask(code, **options) == {"most": most, "count": 9}


def test_a_bad_request_spoils_its_batch(visit: Visit) -> None:
    """Those before it are empty responses, those behind it are none at all."""
    code = """const r = http.batch([U, ['GET', U, null, { compression: 'x' }], U]);
    return [r.length, r[0].status, r[0].error, r[1].error.slice(0, 29), r[2]];"""
    done = visit(code)
    assert done.result == [3, 0, "", "unknown compression algorithm", None]
    assert done.logged("warning") == ["A batch request failed"]
    assert "http_reqs" not in done.samples()
    assert "unknown compression algorithm x" in (visit(code, throw=True).failure or "")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("http.batch()", "no argument was provided to http.batch()"),
        ("http.batch([], {})", "http.batch() accepts only an array or an object of requests"),
        ("http.batch('x')", "invalid http.batch() argument type string"),
        ("http.batch(null)", "invalid http.batch() argument type <nil>"),
    ],
)
def test_arguments_of_batch(call: str, error: str, ask: Ask) -> None:
    assert ask(f"(() => {{ try {{ {call}; }} catch (e) {{ return e.message; }} }})()") == error


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ("['GET']", "invalid batch request '[]interface {}{\"GET\"}'"),
        ("[5, U]", "invalid method type '5'"),
        ("{ method: 'GET' }", "batch request 0 doesn't have a url key"),
        ("{ method: null, url: U }", "invalid method type '<nil>'"),
        ("null", "invalid URL: '#<nil>'"),
    ],
)
def test_requests_of_a_batch_that_are_none(item: str, error: str, visit: Visit) -> None:
    assert visit(f"return http.batch([{item}])[0].error;").result == error


def test_a_batch_throws_if_a_request_does(visit: Visit) -> None:
    done = visit("http.batch([['GET', U + '/raw', null, { throw: true }], U + '/anything']);")
    assert "EOF" in (done.failure or "")


def test_asynchronous_requests(ask: Ask) -> None:
    found = ask("""await (async () => {
      const at = `${U}/gate?key=asynchronous`;
      const all = await Promise.all([1, 2, 3].map(() => http.asyncRequest('GET', at + '&ms=300')));
      const sent = await http.asyncRequest('POST', U + '/anything', 'body', { headers: { 'X-A': 'b' } });
      let thrown;
      try {
        await http.asyncRequest('GET', U + '/raw', null, { throw: true });
      } catch (e) {
        thrown = [`${e}`.slice(0, 4), e instanceof Error];
      }
      return [all.map((r) => r.status), http.get(at).json('most'), sent.json('body'), sent.request.body, thrown];
    })()""")
    assert found == [[200, 200, 200], 3, "body", "body", ["Get ", False]]


def test_refused_asynchronous_requests(visit: Visit) -> None:
    code = (
        "return await http.asyncRequest('GET', 'http://[::1').then((r) => r.error, (e) => 'no: ' + e);"
    )
    assert visit(code).result.startswith('invalid URL: parse "http://[::1"')
    assert visit(code, throw=True).result.startswith('no: invalid URL: parse "http://[::1"')


# -- samples and options -------------------------------------------------------------------------------


def test_samples(visit: Visit) -> None:
    done = visit("""http.get(U + '/anything', { tags: { mine: 1, name: 'Name' } });
    http.get(http.url`${U}/anything?q=${5}`);
    http.post(U + '/status/404');""")
    found = done.samples()
    assert {name for name in found if name.startswith("http_")} == {
        "http_reqs", "http_req_duration", "http_req_blocked", "http_req_connecting",
        "http_req_tls_handshaking", "http_req_sending", "http_req_waiting", "http_req_receiving",
        "http_req_failed",
    }  # fmt: skip
    tags = {(one["name"][-9:], one["url"][-9:], one["status"]): one for one, _ in found["http_reqs"]}
    assert set(tags) == {
        ("Name", "Name", "200"), ("thing?q=${}"[-9:], "thing?q=${}"[-9:], "200"), ("tatus/404", "tatus/404", "404"),
    }  # fmt: skip
    named = tags["Name", "Name", "200"]
    assert named["mine"] == "1"
    assert named["group"] == "::setup"
    assert named["proto"] == "HTTP/1.1"
    assert named["expected_response"] == "true"
    assert "error_code" not in named
    lost = tags["tatus/404", "tatus/404", "404"]
    assert (lost["method"], lost["error_code"], lost["expected_response"]) == ("POST", "1404", "false")
    for metric in ("http_req_duration", "http_req_waiting"):
        assert all(value > 0 for _, values in found[metric] for value in values)
    assert found["data_sent"][0][1] > 100
    assert found["data_received"][0][1] > 300


def test_failures_are_tagged(visit: Visit) -> None:
    done = visit("http.get('http://127.0.0.1:1/');")
    tags, _ = done.samples()["http_reqs"][0]
    assert (tags["status"], tags["error_code"]) == ("0", "1212")
    assert tags["error"] == "dial: connection refused"
    assert "proto" not in tags
    assert done.logged("warning") == ["Request Failed"]


def test_debug_log(visit: Visit) -> None:
    code = "http.post(U + '/anything', 'body', { headers: { 'X-B': '1', 'X-A': '' } });"
    done = visit(code, http_debug="full")
    request, response = done.logged("info")
    head, _, body = request.partition("\n\n")
    assert head.split("\n")[:2] == ["Request:", "POST /anything HTTP/1.1"]
    assert head.split("\n")[3].startswith("User-Agent: ")
    assert body == "body\n"
    assert response.startswith("Response:\nHTTP/1.1 200 OK\nContent-Length: ")
    assert '"method": "POST"' in response
    request, response = visit(code, http_debug="true").logged("info")
    assert not request.endswith("body\n")
    assert '"method"' not in response


def test_connections_are_kept_or_not(ask: Ask) -> None:
    code = """[1, 2, 3].map(() => http.get(U + '/connection?key=%s').json('connection'))"""
    assert ask(code % "kept") == [1, 1, 1]
    assert ask(code % "new", no_connection_reuse=True) == [1, 2, 3]


def test_hosts_and_blocks(visit: Visit) -> None:
    code = """const at = U.replace('127.0.0.1', 'shop.test'); const r = http.get(at + '/anything');
    return [r.status, r.error_code, r.remote_ip, r.error];"""
    assert visit(code, hosts={"shop.test": "127.0.0.1"}).result == [200, 0, "127.0.0.1", ""]
    blocked = visit(code, block_hostnames=["*.test"]).result
    assert blocked == [0, 1111, "", "hostname is blocked"]


def test_the_rate_is_limited(visit: Visit) -> None:
    begun = time.monotonic()
    done = visit("for (let i = 0; i < 5; i += 1) http.get(U + '/anything');", rps=25)
    assert done.failure is None
    assert time.monotonic() - begun >= 4 / 25


def test_an_interruption_leaves_nothing(stage: Callable[..., Stage], serve: Any) -> None:
    asked: list[bytes] = []
    ended: list[bool] = []

    def answer(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        drain(connection)
        ended.append(True)

    here = stage(
        """http.asyncRequest('GET', __ENV.HERE);
        try { http.batch([__ENV.HERE, __ENV.HERE]); } finally { console.log('never'); }""",
        env={"HERE": f"http://127.0.0.1:{serve(answer).port}/"},
    )
    running = here.start()
    here.until(lambda: len(asked) == 3)
    here.vu.interrupt()
    here.until(lambda: len(ended) == 3)
    running.join(20)
    assert running.dead
    assert here.logged() == []
    module = here.vu.modules["http"]
    assert not module._asynchronous


# -- scripts that change the language ------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "for (const name of Reflect.ownKeys(Array.prototype)) if (name !== 'concat') Reflect.deleteProperty(Array.prototype, name)",
        "for (const name of Reflect.ownKeys(String.prototype)) if (name !== 'concat') Reflect.deleteProperty(String.prototype, name)",
        "Array.prototype[Symbol.iterator] = null",
        "Object.keys = Object.assign = Object.entries = JSON.parse = JSON.stringify = null",
        "Object.prototype.get = () => 5; Object.prototype.mine = 1",
        "for (const name of ['Promise', 'Map', 'RegExp', 'Date', 'Math', 'Number', 'String']) globalThis[name] = null",
    ],
)
def test_changed_globals(change: str, visit: Visit) -> None:
    done = visit(f"""const E = Error; {change};
    const first = http.get(U + '/anything?a=1', {{ headers: {{ 'X-A': 'b' }}, tags: {{ a: 'b' }} }});
    const second = http.post(U + '/anything', {{ a: 1, b: ['x', 'y'] }}, {{ cookies: {{ c: 'd' }} }});
    const both = http.batch([U + '/anything', ['PUT', U + '/anything', 'text']]);
    const later = await http.asyncRequest('GET', U + '/cookies/set?x=1');
    const jar = http.cookieJar();
    jar.set(U, 'own', 'value', {{ path: '/' }});
    return [first.status, first.headers['Content-Type'], second.json().body, second.request.cookies.c[0].value,
      both[1].json().body, later.cookies.x[0].value, jar.cookiesForURL(U).own[0]];""")
    assert done.failure is None
    assert done.result == [
        200, "application/json; charset=utf-8", "a=1&b=x&b=y", "d", "text", "1", "value",
    ]  # fmt: skip
