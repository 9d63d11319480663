"""Receiving: pings and pongs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import gevent
import pytest
from core_receive import BUSY, END, ENDED
from core_session import text
from core_vu import DEADLINE, WAITING, until
from running import memory
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links


def test_pings_are_answered(link: Callable[..., Links], blocking: bool, secure: bool) -> None:
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    peer = one.peer()
    for payload in (b"", b"p", b"x" * 125):
        peer.send(Frame(Opcode.PING, payload))
        [pong] = peer.frames(1)
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, payload)
    peer.send(END)
    assert running.get(timeout=DEADLINE) == [["ping"]] * 3 + [ENDED]


@pytest.mark.parametrize("busy", BUSY)
def test_pings_are_answered_while_the_vu_is_busy(
    link: Callable[..., Links], secure: bool, busy: str
) -> None:
    """Of k6/websockets; k6/ws answers when the handler has returned."""
    one = link(f"entries.run = () => see(connect(false, {{ text() {{ {busy}; }} }}));", secure=secure)

    def wait() -> None:
        gevent.sleep(1e6)

    wait.is_blocking = True  # type: ignore[attr-defined]
    one.vu._named["wait"] = wait
    running = one.vu.start("run")
    peer = one.peer()
    peer.send(text("go"))
    until(lambda: one.vu.state not in (WAITING, 0))
    for number in range(3):
        peer.send(Frame(Opcode.PING, b"%d" % number))
        [pong] = peer.frames(1)
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"%d" % number)
    assert not running.ready()
    one.vu.interpreter.interrupt()
    running.get(timeout=DEADLINE)


def test_pongs_that_answer_pings_are_measured(link: Callable[..., Links], blocking: bool) -> None:
    """Their payload is the number of the ping; others are seen, too."""
    one = link("""
        entries.run = (isBlocking) => see(connect(isBlocking, {
          open(value, more, session) { for (let i = 0; i < 12; i += 1) session.ping(); },
        }), isBlocking);
    """)
    running = one.vu.start("run", blocking)
    peer = one.peer()
    pings = peer.frames(12)
    assert [bytes(each.data) for each in pings] == [b"%d" % number for number in range(12)]
    payloads = [b"0", b"11", b"12", b"", b"x", b"-1", b"99999999999999999999", b"5"]
    peer.send(*[Frame(Opcode.PONG, payload) for payload in payloads], END)
    matched = [True, True, False, False, False, False, False, True]
    assert running.get(timeout=DEADLINE) == [
        *[["pong", one, payload.decode()] for one, payload in zip(matched, payloads, strict=True)], ENDED,
    ]  # fmt: skip
    assert len(one.measured()[2]) == 3


def test_a_flood_of_pings_from_a_peer_that_never_reads(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    """Timers of the script go on, pongs do not pile up, and the script can end the session."""
    one = link(
        """
        entries.run = (isBlocking) => {
          let ticks = 0;
          const session = connect(isBlocking, {
            open(value, more, session) {
              const tick = () => {
                ticks += 1;
                if (host('enough')) { session.sendClose(1000); session.stop(); }
                else if (!isBlocking) loop.addTimer(tick, 1, -1, 0);
              };
              if (isBlocking) session.setTimer(tick, 1, true); else loop.addTimer(tick, 1, -1, 0);
            },
            every() { seen.length = 0; },
          });
          see(session, isBlocking);
          return ticks;
        };
        """,
        secure=secure,
    )
    flood = Frame(Opcode.PING, b"x" * 125).serialize(mask=False) * 4000
    sent = 0
    before = memory(os.getpid())

    def send() -> None:
        nonlocal sent
        while True:
            one.peer().sock.sendall(flood)
            sent += len(flood)

    one.vu._named["enough"] = lambda: sent > 320 << 20
    running = one.vu.start("run", blocking)
    sending = gevent.spawn(send)
    assert running.get(timeout=DEADLINE) > 0
    # Pongs that pile up would take 320 MB. AddressSanitizer keeps up to 120 MB of freed memory for a while.
    assert memory(os.getpid()) < before + (240 << 20)
    sending.kill()
