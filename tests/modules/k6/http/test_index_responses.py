"""k6/http as a script sees it: responses, samples, options."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from servers import drain, read_request
from waiting import DEADLINE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from in_process import Stage

    Visit = Callable[..., Stage]
    Ask = Callable[..., Any]


# -- responses -------------------------------------------------------------------------------------------


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


# -- samples and options ---------------------------------------------------------------------------------


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
    running.join(DEADLINE)
    assert running.dead
    assert here.logged() == []
    module = here.vu.context.modules["http"]
    assert not module._asynchronous


# -- scripts that change the language --------------------------------------------------------------------


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
