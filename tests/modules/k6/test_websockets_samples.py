"""k6/websockets: metrics and tags."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from servers import accept, drain, echo, frame, read_frame
from websockets_play import Play, Player, beside, closing, pushing

from jsrunner.metrics.registry import BUILTIN
from jsrunner.options.model import Options

if TYPE_CHECKING:
    import socket as plain


def test_tags(play: Player) -> None:
    found = play(
        pushing(frame(b"x")),
        "exec.vu.metrics.tags.mine = 'early';"
        "group('made', () => new WebSocket(__ENV.URL, null, { tags: { own: 1, url: 'not this' } }));"
        "exec.vu.metrics.tags.mine = 'late';"
        "new WebSocket(__ENV.URL, null, { tags: { name: 'named' } });",
    )
    samples = found.stage.samples()
    url = found.server.url
    common = {"status": "101", "subproto": ""}
    expected = [
        {"group": "::setup::made", "mine": "early", "own": "1", "url": url, "name": url, **common},
        {"group": "::setup", "mine": "late", "url": "named", "name": "named", **common},
    ]
    for name in ("ws_sessions", "ws_connecting", "ws_msgs_received", "ws_session_duration"):
        tags = [one for one, _ in samples[name]]
        assert sorted(tags, key=lambda one: one["mine"]) == expected, name


def test_system_tags_can_be_left_out(play: Player) -> None:
    options = Options(system_tags=("ip",))
    found = play(pushing(), "new WebSocket(__ENV.URL);", options=options)
    assert found.stage.samples()["ws_sessions"] == [({"ip": "127.0.0.1"}, 1.0)]


class Lines:
    """An output that wants each sample."""

    def format(self, metric: Any, tags: Any, metadata: Any) -> Lines:
        self.metric = metric
        line = Lines()
        line.metric = metric
        return line

    def line(self, time_s: float, value: float) -> bytes:
        return f"{self.metric.name} {time_s} {value}\n".encode()


def test_each_sample_has_its_time(play: Player) -> None:
    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(frame(b"1") + frame(b"2") + frame(b"3") + frame(b"4"))
        assert read_frame(connection)[0] == 0x81
        _, payload = read_frame(connection)
        connection.sendall(closing(payload))
        drain(connection)

    before = time.time()
    found = play(
        handle,
        "const ws = new WebSocket(__ENV.URL); ws.onmessage = (e) => { if (e.data === '1') sleep(0.05);"
        "  if (e.data === '3') { ws.send('x'); ws.close(); } };",
        formatters=(Lines(),),
    )
    _, _, lines = found.stage.process.recorder.collect()
    samples: dict[str, list[float]] = {}
    for line in lines[0].decode().splitlines():
        name, at, value = line.split(" ")
        samples.setdefault(name, []).append(float(at))
        assert name in BUILTIN
        assert float(value) == 1 or not name.startswith("ws_msgs")
    received, sent = samples["ws_msgs_received"], samples["ws_msgs_sent"]
    assert len(received) == 3  # the fourth came behind close()
    assert len(set(received)) == 1  # one packet
    assert len(sent) == 2
    assert before - 1 < received[0] < sent[0] - 0.04 < sent[1] <= samples["ws_session_duration"][0]


def test_open_sessions_are_reported_meanwhile(prepare: Player) -> None:
    counts: list[dict[str, float]] = []

    def meanwhile(play: Play) -> None:
        play.stage.until(lambda: "back" in play.said)
        play.stage.process.engine.library.core_sessions_count()
        counts.append(play.counts())
        play.stage.vu.interrupt()

    beside(
        prepare(
            echo, "const ws = open(); ws.onopen = () => ws.send('x'); ws.onmessage = () => log('back');"
        ),
        meanwhile,
    )
    assert counts[0]["ws_msgs_sent"] == counts[0]["ws_msgs_received"] == 1
