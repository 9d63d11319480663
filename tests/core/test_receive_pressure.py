"""Receiving: what happens while a VU is busy."""

from __future__ import annotations

import os
import random
import select
from typing import TYPE_CHECKING

import gevent
import pytest
from core_receive import BUSY, END
from core_session import text
from core_vu import DEADLINE, LISTENING, SLEEPING, WAITING, until
from running import memory
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from jsrunner.transport.deflate import Deflate

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links


@pytest.mark.slow
@pytest.mark.parametrize("deflated", [False, True])
def test_a_busy_vu_is_not_sent_more_than_it_can_take(
    link: Callable[..., Links], blocking: bool, secure: bool, deflated: bool
) -> None:
    """The peer has to wait, until the VU comes back; then nothing is lost."""
    one = link(
        """
        entries.run = (isBlocking) => {
          let count = 0;
          see(connect(isBlocking, {
            every() { seen.length = 0; },
            text(value) { count += 1; if (count % 5000 === 1) host('rest', count); },
          }), isBlocking);
          return count;
        };
        """,
        secure=secure,
    )
    extensions = []
    if deflated:
        one.deflate = Deflate()
        extensions = [PerMessageDeflate(True, True, 15, 15)]
    resting = gevent.event.Event()
    rests: list[int] = []

    def rest(count: int) -> None:
        rests.append(count)
        resting.wait()

    rest.is_blocking = True  # type: ignore[attr-defined]
    one.vu._named["rest"] = rest
    many = text(random.randbytes(500).hex()).serialize(mask=False, extensions=extensions) * 1000
    total = 0

    def send() -> None:
        nonlocal total
        for _ in range(60):
            one.peer().sock.sendall(many)
            total += 1
        one.peer().send(END)

    before = memory(os.getpid())
    running = one.vu.start("run", blocking)
    sending = gevent.spawn(send)
    until(lambda: rests)
    stuck = -1
    while stuck != total:  # no more goes out
        stuck = total
        gevent.sleep(0.05)
    assert not sending.ready()
    assert memory(os.getpid()) < before + (48 << 20)
    resting.set()
    assert running.get(timeout=DEADLINE) == 60_000
    sending.get(timeout=DEADLINE)


def test_a_slow_handler_holds_up_its_peer(link: Callable[..., Links], secure: bool) -> None:
    """The buffered bytes do not grow with each delivered message."""
    one = link(
        """
        entries.run = () => {
          let count = 0;
          see(connect(false, { every() { seen.length = 0; }, text() { count += 1; core.sleep(1); } }));
          return count;
        };
        """,
        secure=secure,
    )
    many = text("x" * 60).serialize(mask=False) * 10_000
    total = 0

    def send() -> None:
        nonlocal total
        while True:
            one.peer().sock.sendall(many)
            total += len(many)

    running = one.vu.start("run")
    sending = gevent.spawn(send)
    until(lambda: one.vu.state == SLEEPING)
    for _ in range(150):
        gevent.sleep(0.001)
    # The queue's high-water mark, what was read beyond it, and both kernels' buffers.
    assert total < 16 << 20
    one.vu.interpreter.interrupt()
    running.get(timeout=DEADLINE)
    sending.kill()


def test_a_connection_that_breaks_meanwhile_keeps_nobody_busy(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    """The poller would tell of it again and again."""
    one = link(
        "entries.run = (isBlocking) => see(connect(isBlocking, { text() { host('rest'); } }), isBlocking);",
        secure=secure,
    )
    resting = gevent.event.Event()

    def rest() -> None:
        resting.wait()

    rest.is_blocking = True  # type: ignore[attr-defined]
    one.vu._named["rest"] = rest
    running = one.vu.start("run", blocking)
    one.peer().send(text("go"))
    until(lambda: one.vu.state not in (WAITING, LISTENING, 0, 1))
    poller = one.vu.engine._watcher.fd

    def is_quiet() -> bool:
        return not select.select([poller], [], [], 0)[0]

    until(is_quiet)  # the message was received, and the VU rests
    one.peer().reset()
    until(is_quiet)
    assert all(is_quiet() for _ in range(10) if not gevent.sleep(0.002))
    resting.set()
    events = running.get(timeout=DEADLINE)
    assert events[0] == ["text", "go"]
    assert events[-1][0] in ("reset", "end")


@pytest.mark.parametrize("busy", BUSY)
def test_what_came_with_the_message_that_is_handled_is_answered(
    link: Callable[..., Links], secure: bool, busy: str
) -> None:
    """Pings and the close frame in the packet of the message whose handler does not return."""
    one = link(f"entries.run = () => see(connect(false, {{ text() {{ {busy}; }} }}));", secure=secure)

    def wait() -> None:
        gevent.sleep(1e6)

    wait.is_blocking = True  # type: ignore[attr-defined]
    one.vu._named["wait"] = wait
    running = one.vu.start("run")
    peer = one.peer()
    peer.send(text("go"), Frame(Opcode.PING, b"1"), text("behind"), Frame(Opcode.PING, b"2"), END)
    assert [(each.opcode, bytes(each.data)) for each in peer.frames(3)] == [
        (Opcode.PONG, b"1"),
        (Opcode.PONG, b"2"),
        (Opcode.CLOSE, b"\x03\xe8"),
    ]
    assert not running.ready()
    one.vu.interpreter.interrupt()
    running.get(timeout=DEADLINE)


def test_what_came_with_a_message_comes_after_it(link: Callable[..., Links], secure: bool) -> None:
    """However long its handler takes."""
    one = link(
        """
        entries.run = (milliseconds) => {
          const order = [];
          see(connect(false, {
            every(name, value) {
              if (name === 'open') return;
              order.push(value === undefined ? name : value);
              if (value !== 1000) core.sleep(milliseconds);
            },
          }));
          return order;
        };
        """,
        secure=secure,
    )
    for number, milliseconds in enumerate((0, 30, 1)):
        running = one.vu.start("run", milliseconds)
        one.peer(number).send(text("first"), Frame(Opcode.PING, b""), text("second"), END)
        order = running.get(timeout=DEADLINE)
        assert order == ["first", "ping", "second", 1000]


def test_events_that_came_meanwhile_keep_their_order_and_time(
    link: Callable[..., Links], secure: bool
) -> None:
    """Timers that were due between them run between them."""
    one = link(
        """
        entries.run = () => {
          const order = [];
          const times = [];
          see(connect(false, {
            every(name, value, more, time) { times.push(time); },
            text(value) {
              order.push(value);
              if (value !== 'first') return;
              host('rest');
              loop.addTimer(() => order.push('timer'), 30, -1, 0);
              host('rest');
            },
          }));
          return [order, times.every((time, i) => i === 0 || time >= times[i - 1])];
        };
        """,
        secure=secure,
    )
    rests = [gevent.event.Event() for _ in range(2)]
    waiting = iter(rests)
    has_rested: list[bool] = []

    def rest() -> None:
        has_rested.append(True)
        next(waiting).wait()

    rest.is_blocking = True  # type: ignore[attr-defined]
    one.vu._named["rest"] = rest
    running = one.vu.start("run")
    peer = one.peer()
    peer.send(text("first"))
    until(lambda: len(has_rested) == 1)
    assert one.bytes[1]  # those of the first message
    peer.send(text("early"))
    until(lambda: one.bytes[1])  # the message was received while the VU rests, before there is a timer
    rests[0].set()
    until(lambda: len(has_rested) == 2)
    gevent.sleep(0.06)  # the timer is due now
    peer.send(text("late"), END)
    until(lambda: one.bytes[1])
    rests[1].set()
    assert running.get(timeout=DEADLINE) == [["first", "early", "timer", "late"], True]
