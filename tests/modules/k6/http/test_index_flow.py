"""k6/http in scripts: redirections, cookies, authentication, batches."""

from __future__ import annotations

import base64
import contextlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from servers import drain, read_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from in_process import Stage

    Visit = Callable[..., Stage]
    Ask = Callable[..., Any]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


# -- redirections ----------------------------------------------------------------------------------------


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


# -- cookies ---------------------------------------------------------------------------------------------


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
    # Cookies with another path than the default stay, because they are different cookies.
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
    assert len(here.vu.context.jars) < 50


# -- authentication --------------------------------------------------------------------------------------


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


# -- many at once ----------------------------------------------------------------------------------------


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({}, 6),
        ({"batch_per_host": 2}, 2),
        ({"batch": 3}, 3),
        ({"batch_per_host": 20}, 9),
        ({"batch_per_host": 0}, 9),
    ],
)
def test_limits_of_batches(options: dict[str, int], most: int, ask: Ask) -> None:
    key = "-".join(["batch", *map(str, options.values())])
    code = f"""(() => {{
      const at = `${{U}}/gate?key={key}`;
      http.batch(new Array(9).fill(at + '&ms=300'));
      return http.get(at).json();
    }})()"""
    assert ask(code, **options) == {"most": most, "count": 9}


def test_a_bad_request_spoils_its_batch(visit: Visit) -> None:
    """Requests before it have empty responses; requests behind it have none."""
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
