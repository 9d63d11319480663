"""The output that waits when a session or an iteration ends: it still goes out, and with it a close frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import gevent
import pytest
from core_session import queues, text
from core_vu import DEADLINE, DRAINING, LISTENING, WAITING, until
from websockets.frames import Frame, Opcode

from jsrunner.engine.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links, Peer

#: Send messages of 10,000 bytes. Then wait for the peer, close, fail, or compute without end.
SENDING = """
entries.run = (isBlocking, count, then) => {
  try {
    return see(connect(isBlocking, {
      open(value, more, session) {
        for (let i = 0; i < count; i += 1) session.sendText('x'.repeat(10_000));
        if (then === 'compute') { say('computes'); for (;;); }
        if (then === 'fail') throw new Error('failed');
        if (then === 'close') {
          session.sendClose(4000, 'why');
          seen.push(['shut', session.shut()]);
          session.stop();
        }
      },
    }), isBlocking);
  } finally {
    if (then === 'fail') core.abandon();
  }
};
"""
#: Bytes of the kernel's buffers, far less than what is sent.
BUFFERS = 20_000
ALL = [10_000] * 50


def start(one: Links, blocking: bool, then: str) -> tuple[gevent.Greenlet, Peer]:
    one.buffers = BUFFERS
    running = one.vu.start("run", blocking, 50, then)
    return running, one.peer()


def sizes_and_close(peer: Peer) -> tuple[list[int], bytes]:
    *messages, close = peer.frames()
    assert close.opcode is Opcode.CLOSE
    return [len(each.data) for each in messages], bytes(close.data)


@pytest.mark.parametrize("then", ["wait", "compute"])
def test_an_interrupted_script_sends_what_waits(
    link: Callable[..., Links], blocking: bool, secure: bool, then: str
) -> None:
    one = link(SENDING, secure=secure)
    queues(one.library, last_patience=DEADLINE)
    running, peer = start(one, blocking, then)
    if then == "wait":
        until(lambda: one.vu.state in (LISTENING, WAITING))
    else:
        until(lambda: one.vu.said)
    one.vu.interpreter.interrupt()
    until(lambda: one.vu.state == DRAINING)
    before = one.measured()[0] or 0
    one.vu.interpreter.interrupt()  # the coordinator's end may follow a VU's own deadline
    assert sizes_and_close(peer) == (ALL, b"\x03\xe9" if blocking else b"\x03\xe8")
    assert isinstance(running.get(timeout=DEADLINE), Interrupted)
    assert before <= 50
    assert one.measured()[0] is None  # k6 counts no message that is written after the interruption


def test_a_failed_iteration_sends_what_waits(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    one = link(SENDING, secure=secure)
    queues(one.library, last_patience=DEADLINE)
    running, peer = start(one, blocking, "fail")
    assert sizes_and_close(peer) == (ALL, b"\x03\xe9" if blocking else b"\x03\xe8")
    with pytest.raises(Exception, match="failed"):
        running.get(timeout=DEADLINE)


def test_a_peer_that_reads_nothing_does_not_keep_an_interrupted_script(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    one = link(SENDING, secure=secure)
    running, _ = start(one, blocking, "wait")
    until(lambda: one.vu.state in (LISTENING, WAITING))
    one.vu.interpreter.interrupt()
    assert isinstance(running.get(timeout=DEADLINE), Interrupted)
    assert one.vu.call("seen") == []  # the VU goes on


def test_a_peer_that_goes_does_not_keep_an_interrupted_script(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    one = link(SENDING, secure=secure)
    queues(one.library, last_patience=DEADLINE)
    running, peer = start(one, blocking, "wait")
    until(lambda: one.vu.state in (LISTENING, WAITING))
    one.vu.interpreter.interrupt()
    until(lambda: one.vu.state == DRAINING)
    peer.reset()
    assert isinstance(running.get(timeout=DEADLINE), Interrupted)


def test_closing_waits_while_the_peer_reads(link: Callable[..., Links], secure: bool) -> None:
    """The patience is for each pause of the peer, not for all of its reading."""
    one = link(SENDING, secure=secure)
    queues(one.library, patience=1.5)
    running, peer = start(one, True, "close")
    received: list[Frame] = []
    for _ in range(20):  # longer than the patience
        gevent.sleep(0.1)
        received += peer.frames(2)
    *messages, close = received + peer.frames()
    assert [len(each.data) for each in messages] == ALL
    assert close.data == b"\x0f\xa0why"
    assert running.get(timeout=DEADLINE) == [["shut", None]]


def test_closing_gives_up_if_the_peer_reads_nothing(link: Callable[..., Links], secure: bool) -> None:
    one = link(SENDING, secure=secure)
    queues(one.library, patience=0.1)
    running, _ = start(one, True, "close")
    (_, failure), *_ = running.get(timeout=DEADLINE)
    assert re.fullmatch(r"write tcp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: i/o timeout", failure)


def test_unread_messages_do_not_cost_output(link: Callable[..., Links], secure: bool) -> None:
    """A kernel resets a connection that is closed with unread bytes, and drops output that is on its way."""
    more = text("y" * 1000).serialize(mask=False) * 10
    one = link(
        """
        entries.run = () => see(connect(true, {
          text(value, more, session) {
            host('pause');
            for (let i = 0; i < 50; i += 1) session.sendText('x'.repeat(10_000));
            session.sendClose(1000);
            session.shut();
            session.stop();
          },
        }), true);
        """,
        secure=secure,
        operations={"pause": lambda: one.peer().sock.sendall(more)},
    )
    running = one.vu.start("run")
    peer = one.peer()
    peer.send(text("go"))
    assert running.get(timeout=DEADLINE) == [["text", "go"]]
    assert sizes_and_close(peer) == (ALL, b"\x03\xe8")
