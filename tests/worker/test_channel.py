from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from gevent import socket
from gevent.event import Event
from waiting import DEADLINE

from jsrunner.messages.protocol import Exit, Log, Ready, WorkerMessage
from jsrunner.messages.stream import MessageReader, encode
from jsrunner.worker.channel import CoordinatorChannel

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[Any, Any]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    for one in (ours, theirs):
        with contextlib.suppress(OSError):
            one.close()


def read(stream: Any, count: int) -> list[WorkerMessage]:
    reader, found = MessageReader(), []
    with gevent.Timeout(DEADLINE):
        while len(found) < count:
            found += reader.feed(stream.recv(1 << 20))
    return found


def log(size: int, number: int = 0) -> Log:
    return Log("info", "x" * size, number, {})


def test_short_messages_leave_at_once(ends: tuple[Any, Any]) -> None:
    """Also if the hub never gets its turn again."""
    channel = CoordinatorChannel(ends[0], gone=pytest.fail)
    channel.send(Ready())
    assert ends[1]._sock.recv(100) == encode(Ready())
    channel.flush()


def test_order_is_kept_whatever_waits(ends: tuple[Any, Any]) -> None:
    channel = CoordinatorChannel(ends[0], gone=pytest.fail)
    sizes = [10, 3_000_000, 5, 3_000_000, 1, 1]
    speaking = gevent.spawn(lambda: [channel.send(log(size, n)) for n, size in enumerate(sizes)])
    found = read(ends[1], len(sizes))
    speaking.get()
    assert [one.time for one in found] == list(range(6))  # type: ignore[attr-defined]
    channel.flush()


def test_who_is_interrupted_leaves_the_stream_whole(ends: tuple[Any, Any]) -> None:
    channel = CoordinatorChannel(ends[0], gone=pytest.fail)

    def speak() -> None:
        for _ in range(100):
            channel.send(log(1_000_000))

    speaking = gevent.spawn(speak)
    gevent.sleep(0.01)  # a channel that does not wait would be ready by now
    assert not speaking.ready()  # it waits until something was read
    speaking.kill()
    gevent.spawn(channel.send, Exit())
    found = read(ends[1], 9)
    assert all(isinstance(one, Log) for one in found[:8])


def test_callbacks_of_the_hub_hold_up_the_process_until_something_is_read(
    ends: tuple[Any, Any],
) -> None:
    """A VU logs from there; an exception would be the script's."""
    channel = CoordinatorChannel(ends[0], gone=pytest.fail)
    stream, received = ends[1]._sock, bytearray()
    stream.setblocking(True)

    def read_all() -> None:
        while part := stream.recv(1 << 20):
            received.extend(part)

    def speak() -> None:
        for number in range(20):
            channel.send(log(1_000_000, number))
        spoken.set()

    spoken = Event()
    reading = threading.Thread(target=read_all)
    gevent.get_hub().loop.run_callback(speak)
    reading.start()
    with gevent.Timeout(DEADLINE):
        spoken.wait()
        channel.flush()
    ends[0].shutdown(socket.SHUT_WR)
    reading.join(DEADLINE)
    found = list(MessageReader().feed(bytes(received)))
    assert [one.time for one in found] == list(range(20))  # type: ignore[attr-defined]


def test_after_the_end_all_is_dropped(ends: tuple[Any, Any]) -> None:
    told: list[bool] = []
    channel = CoordinatorChannel(ends[0], gone=lambda: told.append(True))
    ends[1].close()
    for _ in range(3):
        channel.send(log(1000))
    channel.flush()
    assert told == [True]


def test_the_end_while_much_waits(ends: tuple[Any, Any]) -> None:
    told: list[bool] = []
    channel = CoordinatorChannel(ends[0], gone=lambda: told.append(True))
    speaking = gevent.spawn(lambda: [channel.send(log(3_000_000)) for _ in range(10)])
    gevent.sleep(0.01)  # some messages are sent, the others wait
    ends[1].close()
    with gevent.Timeout(DEADLINE):
        speaking.get()
        channel.flush()
    assert told == [True]
