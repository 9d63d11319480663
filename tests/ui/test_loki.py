"""The log at a Loki: a real server on this machine, and a real run."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.ui.destination import Loki
from jsrunner.ui.loki import LokiPusher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message


class Receiver:
    """A receiver that keeps the pushed records."""

    def __init__(self) -> None:
        self.pushes: list[tuple[str, Message, Any]] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.pushes.append((self.path, self.headers, json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/loki/api/v1/push"

    def records(self) -> list[tuple[dict[str, str], str]]:
        """(labels, text) of all records."""
        return [
            (stream["stream"], text)
            for _, _, body in self.pushes
            for stream in body["streams"]
            for _, text in stream["values"]
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def pusher(**settings: Any) -> tuple[LokiPusher, list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []
    return LokiPusher(Loki(**settings), lambda level, text: said.append((level, text))), said


def test_batches(receiver: Receiver) -> None:
    loki, said = pusher(url=receiver.url, labels=(("job", "test"),), headers=(("X-Scope-OrgID", "me"),))
    loki.put("info", "second", 2_500_000_000, {"source": "console"})
    loki.put("info", "first", 1_250_000_000, {"source": "console"})
    loki.put("error", "other", 2_000_000_000, {})
    loki.close()
    ((path, headers, body),) = receiver.pushes
    assert path == "/loki/api/v1/push"
    assert headers["X-Scope-OrgID"] == "me"
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "streams": [
            {
                "stream": {"job": "test", "level": "info", "source": "console"},
                "values": [["1250000000", "first"], ["2500000000", "second"]],
            },
            {"stream": {"job": "test", "level": "error"}, "values": [["2000000000", "other"]]},
        ]
    }
    assert said == []


def test_labels_that_are_not_allowed(receiver: Receiver) -> None:
    loki, _ = pusher(url=receiver.url, allowed_labels=("level",))
    loki.put("info", "text", 1_000_000_000, {"b": 2, "a": 1})
    loki.close()
    assert receiver.records() == [({"level": "info"}, "text a=1 b=2")]


def test_limits(receiver: Receiver) -> None:
    loki, _ = pusher(url=receiver.url, limit=2, max_size=4)
    for number in range(5):
        loki.put("info", f"{number} is too long", number * 10**9, {})
    loki.close()
    texts = [text for _, text in receiver.records()]
    assert texts[:2] == ["0 is", "1 is"]
    assert texts[2].startswith("dropped 3 log messages because they were above the limit of 2 messages")


def test_failure_is_told_once(receiver: Receiver) -> None:
    receiver.status = 500
    loki, said = pusher(url=receiver.url, push_period=0.01)
    loki.start()
    while len(receiver.pushes) < 3:
        loki.put("info", "text", 1_000_000_000, {})
    loki.close()
    assert len(said) == 1
    level, text = said[0]
    assert level == "error"
    assert text.startswith(f"Error while sending logs to loki at {receiver.url}: HTTP Error 500")


def test_whole_run(receiver: Receiver, run: Callable[..., Any]) -> None:
    done = run(
        "export default function () { console.warn('from the script'); }",
        f"--log-output=loki={receiver.url},label.job=k6,pushPeriod=50ms",
    )
    assert done.code == 0
    assert done.stderr == ""
    assert (
        {"job": "k6", "level": "warning", "source": "console"},
        "from the script",
    ) in receiver.records()


def test_run_that_cannot_begin_is_reported_here_too(
    receiver: Receiver, run: Callable[..., Any]
) -> None:
    done = run("throw new Error('broken')", f"--log-output=loki={receiver.url}")
    assert done.code == 107
    assert "broken" in done.stderr
    assert any("broken" in text for _, text in receiver.records())


def test_run_without_its_loki(run: Callable[..., Any]) -> None:
    done = run(
        "export default function () { console.log(1); }",
        "--log-output=loki=http://127.0.0.1:1/push,pushPeriod=10ms",
    )
    assert done.code == 0
    assert done.stderr.count("Error while sending logs to loki") == 1
