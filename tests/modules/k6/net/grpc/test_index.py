"""k6/net/grpc in whole runs: what the conformance cases do not show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.server.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from running import Process

PROTO = Path(__file__).parents[5] / "js_scripts" / "data" / "playground.proto"

SCRIPT = """
import exec from 'k6/execution';
import grpc from 'k6/net/grpc';
export const options = OPTIONS;
const client = new grpc.Client();
client.load([], 'playground.proto');
const ECHO = 'jsrunner.v1.Playground/Echo', CLOCK = 'jsrunner.v1.Playground/Clock';
const port = Number(__ENV.GRPC_ADDR.split(':')[1]);
const plain = { plaintext: true, timeout: '60s' };
const hasty = { plaintext: true, timeout: '500ms' };
const show = (value) => console.log(JSON.stringify(value));
const attempt = (call) => { try { show(call()); } catch (e) { show(String(e)); } };
export default async function () { BODY }
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ServerProcess() as server:
        yield server.variables["GRPC_ADDR"]


@pytest.fixture
def play(start: Callable[..., Process], address: str, tmp_path: Path) -> Callable[..., Process]:
    """Run a function's body against the bundled server."""
    (tmp_path / "playground.proto").write_text(PROTO.read_text())

    def play(body: str, options: str = "{}", *flags: str, **more: Any) -> Process:
        script = SCRIPT.replace("BODY", body).replace("OPTIONS", options)
        return start(script, "-e", f"GRPC_ADDR={address}", *flags, **more).end()

    return play


def shown(done: Process) -> list[Any]:
    assert done.code == 0, done.stderr
    return [json.loads(text) for text in done.messages("info")]


def test_without_protobuf_one_line_says_what_to_install(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    package = tmp_path / "lacking" / "google"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    script = "import grpc from 'k6/net/grpc'; export default function () { grpc.Client(); }"
    # Before the repository and installed packages: so `google` is here, and has no protobuf.
    prefix = ("env", f"PYTHONPATH={tmp_path / 'lacking'}:{Path(__file__).parents[5]}")
    done = start(script, prefix=prefix).end()
    assert done.code == 107
    (text,) = done.messages("error")
    assert (
        "k6/net/grpc needs the package protobuf: pip install 'jsrunner[grpc]'" in text.splitlines()[0]
    )


def test_a_script_without_grpc_loads_nothing_of_it(start: Callable[..., Process]) -> None:
    script = "export default function () { console.log('fine'); }"
    done = start(script, env={"PYTHONVERBOSE": "1"}).end()
    assert "google.protobuf" not in done.stderr
    assert "jsrunner.proto" not in done.stderr
    assert "jsrunner.transport.rpc" not in done.stderr


def test_options_of_addresses(play: Callable[..., Process]) -> None:
    options = (
        "{ hosts: { 'a.test': '127.0.0.1', 'b.test:1': '127.0.0.1:' + __ENV.GRPC_ADDR.split(':')[1] },"
        " blockHostnames: ['*.blocked'], blacklistIPs: ['127.0.0.3/32'] }"
    )
    body = """
      for (const name of [`a.test:${port}`, 'b.test:1']) {
        attempt(() => client.connect(name, plain) && client.invoke(ECHO, { text: name }).status);
      }
      for (const name of ['x.blocked:1', `127.0.0.3:${port}`]) attempt(() => client.connect(name, hasty));"""
    late = (
        'GoError: context deadline exceeded: connection error: desc = "transport: error while dialing: '
    )
    assert shown(play(body, options)) == [
        0,
        0,
        f'{late}hostname (x.blocked) is in a blocked pattern (*.blocked)"',
        f'{late}IP (127.0.0.3) is in a blacklisted range (127.0.0.3/32)"',
    ]


def test_proxies_are_not_for_grpc(play: Callable[..., Process]) -> None:
    body = "attempt(() => client.connect(`a.test:${port}`, plain) && client.invoke(ECHO, {}).status);"
    options = "{ hosts: { 'a.test': '127.0.0.1' } }"
    proxy = "http://127.0.0.1:1"
    assert shown(play(body, options, env={"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy})) == [0]


def test_http_debug(play: Callable[..., Process]) -> None:
    body = """client.connect(__ENV.GRPC_ADDR, plain);
      client.invoke(ECHO, { text: 'hi' }, { metadata: { 'x-a': 'b' } });"""
    done = play(body, "{ httpDebug: 'full' }")
    kinds = [text.partition(":")[0] for text in done.messages("info")]
    assert kinds == ["Out Header", "Out Payload", "In Header", "In Payload", "In Trailer"][: len(kinds)]
    out = done.messages("info")[0]
    assert "Full Method: /jsrunner.v1.Playground/Echo" in out
    assert "x-a: b" in out
    assert 'text: "hi"' in done.messages("info")[1]
    done = play(body, "{ httpDebug: 'headers' }")
    assert not any("Payload" in text for text in done.messages("info"))


def test_clients_are_a_vu_s_own_and_stay_connected(play: Callable[..., Process]) -> None:
    body = """if (exec.vu.iterationInScenario === 0) client.connect(__ENV.GRPC_ADDR, plain);
      show(client.invoke(ECHO, { text: `${__VU}` }).message.text);"""
    done = play(body, "{ scenarios: { s: { executor: 'per-vu-iterations', vus: 3, iterations: 4 } } }")
    assert sorted(shown(done)) == sorted(["1", "2", "3"] * 4)


def test_health_without_a_connection_is_an_error(play: Callable[..., Process]) -> None:
    """k6 crashes in this case."""
    body = (
        "attempt(() => client.healthCheck()); client.connect(__ENV.GRPC_ADDR, plain);"
        "attempt(() => client.healthCheck()); client.close(); attempt(() => client.healthCheck());"
    )
    missing = "GoError: no gRPC connection, you must call connect first"
    assert shown(play(body)) == [missing, {"status": 1}, missing]


def test_a_stream_of_many_messages(play: Callable[..., Process]) -> None:
    body = """client.connect(__ENV.GRPC_ADDR, plain);
      const stream = new grpc.Stream(client, CLOCK);
      let count = 0;
      let inOrder = true;
      stream.on('data', (tick) => { inOrder &&= tick.number === count; count += 1; });
      stream.on('end', () => show([count, inOrder]));
      stream.write({ count: 20000 });
      stream.end();"""
    assert shown(play(body)) == [[20000, True]]


def test_workers_share_what_was_loaded(play: Callable[..., Process]) -> None:
    body = (
        "client.connect(__ENV.GRPC_ADDR, plain); show(client.invoke(ECHO, { text: 'x' }).message.text);"
    )
    done = play(body, "{ vus: 4, iterations: 8 }", "--workers", "2")
    assert shown(done) == ["x"] * 8
