"""Scripts of k6/websockets, played in this process against a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from in_process import Stage
from servers import Server, accept, drain, frame, read_frame
from waiting import DEADLINE

if TYPE_CHECKING:
    import socket as plain
    from pathlib import Path


PROLOGUE = """
import { WebSocket, Blob } from 'k6/websockets';
import { sleep, group } from 'k6';
import exec from 'k6/execution';
const log = (...values) => console.log(JSON.stringify(values));
const watch = (ws) => {
  ws.addEventListener('open', () => log('open'));
  ws.addEventListener('message', (e) => log('message', e.data));
  ws.addEventListener('error', (e) => log('error', e.error));
  ws.addEventListener('close', (e) => log('close', e.code, e.reason));
  return ws;
};
const open = () => watch(new WebSocket(__ENV.URL));
"""


class Play:
    """setup() with this body, against a server."""

    def __init__(self, folder: Path, server: Server, body: str, **more: Any) -> None:
        environment = {"URL": server.url, **more.pop("environment", {})}
        source = f"{PROLOGUE}\nexport function setup() {{\n{body}\n}}"
        self.server = server
        self.stage = Stage(folder, source, environment=environment, **more)

    def run(self) -> Play:
        self.stage.run()
        return self

    @property
    def said(self) -> list[Any]:
        """Lines of `log`; of one with a single value that value."""
        lines = [json.loads(line) for line in self.stage.logged()]
        return [line[0] if len(line) == 1 else line for line in lines]

    def counts(self) -> dict[str, float]:
        """Sums of the counters, and how many values the trends have."""
        return {
            name: sum(len(value) if isinstance(value, list) else value for _, value in entries)
            for name, entries in self.stage.samples().items()
            if name.startswith("ws_")
        }


Player = Callable[..., Play]


def closing(payload: bytes = b"\x03\xe8") -> bytes:
    return frame(payload, 8)


def pushing(*frames: bytes, end: bytes = closing()) -> Callable[[plain.socket], None]:
    """A server that sends these frames in one piece and closes."""

    def handle(connection: plain.socket) -> None:
        accept(connection)
        connection.sendall(b"".join(frames) + end)
        drain(connection)

    return handle


class Recorder:
    """A server that keeps what comes, frame by frame, and answers close frames."""

    def __init__(self, *, answer: bool = True) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.ends: list[str] = []
        self.answer = answer

    def __call__(self, connection: plain.socket) -> None:
        accept(connection)
        try:
            while True:
                first, payload = read_frame(connection)
                self.frames.append((first, payload))
                if first == 0x88 and self.answer:
                    connection.sendall(closing(payload))
        except EOFError:
            self.ends.append("end")
        except OSError as error:
            self.ends.append(type(error).__name__)


def beside(play: Play, meanwhile: Callable[[Play], None]) -> Play:
    """Run, and do something meanwhile."""
    running = play.stage.start()
    meanwhile(play)
    running.get(timeout=DEADLINE)
    return play
