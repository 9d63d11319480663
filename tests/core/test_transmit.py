"""The output of sessions: frames in their order, to peers that read and to peers that do not."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_session import queues, text
from core_vu import DEADLINE, DRAINING, LISTENING, WAITING, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import memory
from websockets.frames import Frame, Opcode

from jsrunner.engine.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links

END = Frame(Opcode.CLOSE, b"\x03\xe8")
ENDED = ["close", 1000, ""]

#: Send what the test says, then wait for the peer's close.
SENDING = """
entries.run = (isBlocking, messages) => see(connect(isBlocking, {
  open(value, more, session) {
    for (const message of messages) {
      if (typeof message === 'string') session.sendText(message);
      else if (message === null) session.ping();
      else session.sendBinary(message);
    }
  },
}), isBlocking);
"""


def short(frames: list[Frame]) -> list[tuple[Opcode, bytes]]:
    return [(one.opcode, bytes(one.data)) for one in frames]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3000)


@given(st.lists(st.one_of(TEXTS, st.binary(max_size=70_000), st.none()), min_size=1, max_size=10))
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_frames_are_what_a_server_expects(
    link: Callable[..., Links], blocking: bool, secure: bool, messages: list[Any]
) -> None:
    one = link(SENDING, secure=secure)
    running = one.vu.start("run", blocking, messages)
    expected, pings = [], 0
    for message in messages:
        if message is None:
            expected.append((Opcode.PING, b"%d" % pings))
            pings += 1
        elif isinstance(message, str):
            expected.append((Opcode.TEXT, message.encode()))
        else:
            expected.append((Opcode.BINARY, message))
    assert short(one.peer().frames(len(messages))) == expected
    one.peer().send(END)
    assert running.get(timeout=DEADLINE) == [ENDED]
    one.close()


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 262_100, 262_144, 3_000_000])
def test_sizes_around_lengths_and_buffers(
    link: Callable[..., Links], blocking: bool, secure: bool, size: int
) -> None:
    """Messages of these sizes go behind and in front of small messages."""
    one = link(SENDING, secure=secure)
    messages = ["a", "b" * size, "c", b"d" * size, b"e" * size, "f"]
    running = one.vu.start("run", blocking, messages)
    frames = one.peer().frames(len(messages))
    assert [bytes(each.data) for each in frames] == [
        each.encode() if isinstance(each, str) else each for each in messages
    ]
    one.peer().send(END)
    assert running.get(timeout=DEADLINE) == [ENDED]


def test_masking_keys_differ(link: Callable[..., Links]) -> None:
    one = link(SENDING)
    running = one.vu.start("run", False, [b"x"] * 3000)
    data = b""
    while len(data) < 7 * 3000:
        data += one.peer().sock.recv(65536)
    assert len({data[start + 2 : start + 6] for start in range(0, len(data), 7)}) > 2990
    one.peer().send(END)
    running.get(timeout=DEADLINE)


def test_texts_and_buffers_of_all_kinds(link: Callable[..., Links]) -> None:
    """Halves of surrogate pairs become U+FFFD, as in Go; parts of buffers go by offset and length."""
    one = link("""
        entries.run = () => see(connect(false, {
          open(value, more, session) {
            const half = 'a\\ud83d';
            session.sendText(half);
            session.sendText(half.length + ' ' + half.charCodeAt(1).toString(16));
            session.sendText('\\ude00\\ud83d\\ude00\\ud83d');
            session.sendText('ü\\0\\ud7ff\\ue000');
            session.sendText(5);
            const buffer = new Uint8Array([1, 2, 3, 4, 5]).buffer;
            session.sendBinary(buffer);
            session.sendBinary(buffer, 1, 3);
            session.sendBinary(buffer, 5, 0);
            session.sendBinary(buffer, 9, 9);
            session.sendBinary(new ArrayBuffer(0));
            const detached = new ArrayBuffer(3);
            detached.transfer();
            for (const wrong of [detached, 'text', undefined, {}, new Uint8Array(2)]) {
              try { session.sendBinary(wrong); } catch (error) { session.sendText(error.name); }
            }
            try { session.sendText(Symbol('x')); } catch (error) { session.sendText(error.name); }
            session.sendText('end');
          },
        }));
    """)
    running = one.vu.start("run")
    data = []
    while not data or data[-1] != b"end":
        data += [bytes(each.data) for each in one.peer().frames(1)]
    assert data[:10] == [
        b"a\xef\xbf\xbd", b"2 d83d", b"\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbd", "ü\0\ud7ff\ue000".encode(), b"5",
        b"\1\2\3\4\5", b"\2\3\4", b"", b"\1\2\3\4\5", b"",
    ]  # fmt: skip
    assert set(data[10:-1]) <= {b"TypeError", b""}
    one.peer().send(END)
    running.get(timeout=DEADLINE)


def test_what_is_sent_by_several_sessions_goes_to_each(
    link: Callable[..., Links], secure: bool
) -> None:
    """The sessions share one send buffer."""
    one = link(
        """
        entries.run = () => {
          const sessions = [];
          for (let i = 0; i < 5; i += 1) {
            connect(false, { open(value, more, session) {
              sessions.push(session);
              if (sessions.length < 5) return;
              for (let n = 0; n < 300; n += 1) sessions.forEach((one, j) => one.sendText(`${j}:${n}`));
            } });
          }
          return see();
        };
        """,
        secure=secure,
    )
    running = one.vu.start("run")
    received = sorted(
        [bytes(each.data).decode() for each in one.peer(number).frames(300)] for number in range(5)
    )
    assert received == [[f"{name}:{count}" for count in range(300)] for name in range(5)]
    for number in range(5):
        one.peer(number).send(END)
    assert running.get(timeout=DEADLINE) == [ENDED] * 5


# -- peers that do not read --------------------------------------------------------------------------


def test_a_script_of_k6_ws_waits_for_its_peer(link: Callable[..., Links], secure: bool) -> None:
    """Its output is bounded; other VUs go on, and the script can be interrupted."""
    one = link(
        """
        entries.run = (count) => see(connect(true, {
          open(value, more, session) {
            for (let i = 0; i < count; i += 1) session.sendBinary(new ArrayBuffer(1 << 20));
            session.sendClose(1000);
            session.shut();
            session.stop();
          },
        }), true);
        """,
        secure=secure,
    )
    before = memory(os.getpid())
    running = one.vu.start("run", 200)
    until(lambda: one.vu.state == DRAINING)
    gevent.sleep(0.05)  # a VU that does not wait would be done by now
    assert one.vu.state == DRAINING
    assert memory(os.getpid()) < before + (24 << 20)
    one.vu.interpreter.interrupt()
    assert isinstance(running.get(timeout=DEADLINE), Interrupted)
    running = one.vu.start("run", 20)
    frames = one.peer(1).frames()
    assert [len(each.data) for each in frames] == [1 << 20] * 20 + [2]
    assert running.get(timeout=DEADLINE) == []


def test_the_peer_of_k6_ws_may_go_meanwhile(link: Callable[..., Links], secure: bool) -> None:
    one = link(
        """
        entries.run = () => see(connect(true, {
          open(value, more, session) { for (let i = 0; i < 50; i += 1) session.sendBinary(new ArrayBuffer(1 << 20)); },
        }), true);
        """,
        secure=secure,
    )
    running = one.vu.start("run")
    until(lambda: one.vu.state == DRAINING)
    one.peer().reset()
    events = running.get(timeout=DEADLINE)
    assert events[-1][0] in ("reset", "end")


#: Messages of 100,000 bytes until one cannot be sent: how many could, the error, what then still works.
FLOOD = (Path(__file__).parent / "flood.js").read_text()


def test_what_waits_for_a_peer_is_bounded(link: Callable[..., Links], secure: bool) -> None:
    """The bound is that of each session: unsent bytes of a closed session do not count."""
    one = link(FLOOD, secure=secure)
    queues(one.library, session=20 << 20, patience=0.05)
    for _ in range(3):
        sent, failure = one.vu.start("run", 1000, 1).get(timeout=DEADLINE)
        assert 180 < sent < 300
        assert failure == "RangeError: the peer does not read, and 20 MiB wait to be sent to it"


def test_what_waits_in_all_sessions_of_a_vu_is_bounded(
    link: Callable[..., Links], secure: bool
) -> None:
    one = link(FLOOD, secure=secure)
    queues(one.library, vu=20 << 20)
    for _ in range(3):
        sent, failure = one.vu.start("run", 1000, 10).get(timeout=DEADLINE)
        assert 180 < sent < 1000
        assert failure == "RangeError: 20 MiB wait to be sent by the sockets of this VU"


def test_a_script_that_sends_faster_than_the_peer_reads_waits(
    link: Callable[..., Links], secure: bool
) -> None:
    one = link(FLOOD, secure=secure)
    queues(one.library, session=1 << 20)
    running = one.vu.start("run", 500, 1)
    assert len(one.peer().frames(400)) == 400
    assert one.peer().frames()
    assert running.get(timeout=DEADLINE) == [500, ""]


def test_a_script_that_waits_for_its_peer_is_interrupted(
    link: Callable[..., Links], secure: bool
) -> None:
    one = link(FLOOD, secure=secure)
    queues(one.library, session=1 << 20)
    running = one.vu.start("run", 500, 1)
    until(lambda: one.vu.state == DRAINING)
    one.vu.interpreter.interrupt()
    assert isinstance(running.get(timeout=DEADLINE), Interrupted)


def test_buffered_bytes_are_known(link: Callable[..., Links], secure: bool) -> None:
    """k6/websockets: bufferedAmount grows with each message and goes back to nothing."""
    one = link(
        """
        entries.run = (count, size) => {
          let first;
          let last;
          see(connect(false, {
            open(value, more, session) {
              for (let i = 0; i < count; i += 1) { session.sendText('x'.repeat(size)); first ??= session.buffered(); }
              last = session.buffered();
              const look = () => { if (session.buffered()) loop.addTimer(look, 1, -1, 0); else session.sendClose(1000); };
              loop.addTimer(look, 0, -1, 0);
            },
          }));
          return [first, last];
        };
        """,
        secure=secure,
    )
    running = one.vu.start("run", 200, 100_000)
    peer = one.peer()
    gevent.sleep(0.02)  # the frames wait for the peer
    frames = peer.frames(201)
    assert sum(len(each.data) for each in frames[:200]) == 200 * 100_000
    peer.send(END)
    assert running.get(timeout=DEADLINE) == [100_000, 200 * 100_000]
    assert one.measured()[0] == 201.0


def test_a_slow_reader_gets_everything(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    """In order, with small buffers in between, while more is sent all the time."""
    one = link(
        """
        entries.run = (isBlocking, count) => {
          let sent = 0;
          const session = connect(isBlocking, {
            text(value, more, session) {
              for (let i = 0; i < 100; i += 1) { session.sendText(`${sent}`.padEnd(2000)); sent += 1; }
              if (sent === count) session.sendText('end');
            },
          });
          return see(session, isBlocking);
        };
        """,
        secure=secure,
    )
    one.buffers = 20_000
    running = one.vu.start("run", blocking, 2000)
    peer = one.peer()

    def ask() -> None:
        for _ in range(20):
            peer.send(text("more"))
            gevent.sleep(0.002)

    asking = gevent.spawn(ask)
    received: list[str] = []
    while not received or received[-1] != "end":
        received += [bytes(each.data).decode().strip() for each in peer.frames(1)]
    assert received == [*map(str, range(2000)), "end"]
    asking.get(timeout=DEADLINE)
    peer.send(END)
    assert running.get(timeout=DEADLINE)[-1] == ENDED


def test_queued_output_does_not_grow_while_it_is_read(link: Callable[..., Links], secure: bool) -> None:
    """The peer always reads a little later."""
    one = link(
        """
        entries.run = () => see(connect(false, {
          every() { seen.length = 0; },
          text(value, more, session) { session.sendBinary(new ArrayBuffer(200_000)); },
        }));
        """,
        secure=secure,
    )
    one.buffers = 100_000
    running = one.vu.start("run")
    peer = one.peer()
    peer.send(*[text("more")] * 10)
    before = memory(os.getpid())
    total = asked = 0
    while total < 60 << 20:
        total += len(peer.sock.recv(65536))
        if total > asked:
            peer.send(text("more"))
            asked += 200_000
    assert memory(os.getpid()) < before + (20 << 20)
    one.vu.interpreter.interrupt()
    running.get(timeout=DEADLINE)


# -- errors ------------------------------------------------------------------------------------------


def test_writing_to_a_connection_that_was_reset(link: Callable[..., Links], blocking: bool) -> None:
    """Go's text of the error, once; nothing can be sent any more."""
    one = link("""
        entries.run = (isBlocking) => {
          const results = [];
          const session = connect(isBlocking, {
            text(value, more, session) {
              host('reset');
              session.sendText('one'); core.sleep(5);
              session.sendText('two'); core.sleep(5);
              results.push(session.sendText('three'), session.ping(), session.shut() ?? null);
              session.stop();
            },
          });
          if (isBlocking) { session.run(); session.run(); } else loop.settle(() => {});
          return results;
        };
    """)
    one.vu._named["reset"] = lambda: one.peers[0].reset()
    running = one.vu.start("run", blocking)
    one.peer().send(text("go"))
    sent, pinged, failure = running.get(timeout=DEADLINE)
    assert (sent, pinged) == (False, False)
    end = r"127\.0\.0\.1:\d+"
    reason = "broken pipe|connection reset by peer"
    assert re.fullmatch(rf"write tcp {end}->{end}: write: ({reason})", failure)


def test_a_failed_write_is_told(link: Callable[..., Links]) -> None:
    """The event comes before the end of the stream."""
    one = link("""
        entries.run = () => see(connect(false, {
          text(value, more, session) {
            host('reset');
            for (let i = 0; i < 3; i += 1) { session.sendText('x'); core.sleep(5); }
          },
        }));
    """)
    one.vu._named["reset"] = lambda: one.peers[0].reset()
    running = one.vu.start("run")
    one.peer().send(text("go"))
    events = running.get(timeout=DEADLINE)
    names = [each[0] for each in events]
    assert names[0] == "text"
    assert "write failed" in names
    assert names[-1] in ("end", "reset")


def test_sending_before_the_handshake_and_after_the_end(
    link: Callable[..., Links], blocking: bool
) -> None:
    one = link("""
        entries.run = (isBlocking) => {
          const session = connect(isBlocking);
          const results = [session.sendText('early'), session.ping(), session.sendClose(1000), session.buffered()];
          see(session, isBlocking);
          return [...results, session.sendText('late'), session.sendBinary(new ArrayBuffer(1)), session.ping(),
            session.sendClose(1000), session.shut() ?? null, session.buffered()];
        };
    """)
    one.is_held = True
    running = one.vu.start("run", blocking)
    until(lambda: one.vu.state in (WAITING, LISTENING))
    one.fail(one.keys[0])
    assert running.get(timeout=DEADLINE) == [
        False,
        False,
        False,
        0,
        False,
        False,
        False,
        False,
        None,
        0,
    ]
