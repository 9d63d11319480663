"""The life of a WebSocket session: from dialing to its end, whoever ends it."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
import pytest
from core_session import text
from core_vu import DEADLINE, LISTENING, SLEEPING, WAITING, until
from websockets.frames import Close, Frame, Opcode

from jsrunner.core.binding import MAX_CLOSE_CODES
from jsrunner.engine.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links


ECHO = (Path(__file__).parent / "echo.js").read_text()


def echo(link: Links) -> None:
    """Play a server that returns each message, and the close frame."""
    peer = link.peer()
    while frames := peer.frames(1):
        for one in frames:
            peer.send(Frame(one.opcode, one.data))
            if one.opcode is Opcode.CLOSE:
                peer.end()
                return


# -- round trips -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 300_000])
def test_an_echo(link: Callable[..., Links], blocking: bool, secure: bool, size: int) -> None:
    one = link(ECHO, secure=secure)
    serving = gevent.spawn(echo, one)
    assert one.vu.call("echo", blocking, 20, size) == 20
    serving.get(timeout=DEADLINE)
    sent, received, pings, durations = one.measured()
    assert (sent, received, pings) == (20.0 if blocking else 21.0, 20.0, None)  # k6 counts the close
    assert len(durations) == 1


def test_many_sessions_of_one_vu(link: Callable[..., Links], secure: bool) -> None:
    one = link(
        """
        entries.run = (count) => {
          let received = 0;
          for (let i = 0; i < count; i += 1) {
            connect(false, {
              open(value, more, session) { session.sendText(`${i}`); },
              text(value, more, session) { received += Number(value === `${i}`); session.sendClose(1000); },
            });
          }
          loop.settle(() => {});
          return received;
        };
        """,
        secure=secure,
    )

    def serve(number: int) -> None:
        peer = one.peer(number)
        peer.send(*[Frame(each.opcode, each.data) for each in peer.frames(1)])
        peer.send(*[Frame(each.opcode, each.data) for each in peer.frames(1)])
        peer.end()

    count = 10 if secure else 200
    serving = [gevent.spawn(serve, number) for number in range(count)]
    assert one.vu.call("run", count) == count
    gevent.joinall(serving, timeout=DEADLINE, raise_error=True)


def test_a_session_inside_of_another(link: Callable[..., Links]) -> None:
    """k6/ws: ws.connect in a handler; the outer one goes on afterwards."""
    one = link("""
        entries.run = () => {
          const order = [];
          const outer = connect(true, {
            text(value, more, session) {
              order.push(`outer ${value}`);
              if (value === 'nest') {
                const inner = connect(true, { text(v, m, s) { order.push(`inner ${v}`); s.stop(); } });
                inner.run();
                inner.run();
                inner.shut();
                order.push('inner over');
              } else { session.stop(); }
            },
          });
          outer.run();
          outer.run();
          outer.shut();
          return order;
        };
    """)
    running = one.vu.start("run")
    one.peer(0).send(text("nest"), text("last"))
    one.peer(1).send(text("hello"))
    assert running.get(timeout=DEADLINE) == ["outer nest", "inner hello", "inner over", "outer last"]


def test_sessions_of_both_kinds_beside_each_other(link: Callable[..., Links]) -> None:
    """While k6/ws blocks the VU, events of the others wait."""
    one = link("""
        entries.run = () => {
          const order = [];
          connect(false, { text(value, more, session) { order.push(value); session.sendClose(1000); session.shut(); session.stop(); } });
          const blocking = connect(true, { text(value, more, session) { order.push(value); if (value === 'end') session.stop(); } });
          blocking.run();
          blocking.run();
          blocking.shut();
          order.push('over');
          loop.settle(() => {});
          return order;
        };
    """)
    running = one.vu.start("run")
    one.peer(0).send(text("event"))
    one.peer(1).send(text("first"))
    gevent.sleep(0.01)  # the messages come apart
    one.peer(1).send(text("end"))
    assert running.get(timeout=DEADLINE) == ["first", "end", "over", "event"]


def test_timers_of_a_session(link: Callable[..., Links]) -> None:
    """They run while it does, and end with it; those of the VU do not run meanwhile."""
    one = link("""
        entries.run = () => {
          const order = [];
          loop.addTimer(() => order.push('global'), 0, -1, 0);
          const session = connect(true);
          session.run();
          session.setTimer(() => order.push('late'), 20, false);
          session.setTimer(() => order.push('never'), 1e6, false);
          let ticks = 0;
          session.setTimer(() => { ticks += 1; if (ticks === 5) { order.push('tick'); session.stop(); } }, 8, true);
          session.run();
          session.shut();
          loop.settle(() => {});
          return order;
        };
    """)
    assert one.vu.call("run") == ["late", "tick", "global"]


def test_handlers_that_throw(link: Callable[..., Links], blocking: bool, secure: bool) -> None:
    """The exception ends the call that waits for events, and the next call goes on."""
    one = link(
        """
        let session;
        entries.run = (isBlocking) => {
          session = connect(isBlocking, {
            text(value, more, session) { if (value === 'bad') throw new RangeError('no'); session.stop(); } });
          const caught = [];
          if (isBlocking) session.run();
          for (let i = 0; i < 2; i += 1) {
            try { if (isBlocking) session.run(); else loop.settle(() => {}); } catch (error) { caught.push(error.message); }
          }
          session.shut();
          return [caught, seen];
        };
        """,
        secure=secure,
    )
    running = one.vu.start("run", blocking)
    one.peer().send(text("bad"), text("good"))
    assert running.get(timeout=DEADLINE) == [["no"], [["text", "bad"], ["text", "good"]]]


# -- dialing -----------------------------------------------------------------------------------------


def test_a_session_that_cannot_connect(link: Callable[..., Links], blocking: bool) -> None:
    one = link(
        "entries.run = (isBlocking) => { const s = connect(isBlocking); if (isBlocking) { s.run(); return seen; } return see(s); };"
    )
    one.is_held = True
    running = one.vu.start("run", blocking)
    until(lambda: one.vu.state in (WAITING, LISTENING))
    assert one.fail(one.keys[0], {"failure": "refused"})
    assert running.get(timeout=DEADLINE) == [["failed", {"failure": "refused"}]]
    assert not one.fail(one.keys[0])
    assert not one.open(one.keys[0])


def test_an_outcome_after_the_session_is_gone(link: Callable[..., Links], blocking: bool) -> None:
    """The dialing side keeps the socket and closes it."""
    one = link("entries.run = see;", secure=False)
    one.is_held = True
    running = one.vu.start("see", blocking)
    until(lambda: one.vu.state in (WAITING, LISTENING))
    one.vu.interpreter.interrupt()
    assert isinstance(running.get(timeout=DEADLINE), Interrupted)
    assert not one.open(one.keys[0])
    assert not one.fail(one.keys[0])
    assert one.peers[0].frames() == []


def test_names_of_sessions_are_not_used_again(link: Callable[..., Links]) -> None:
    """Their places are; a late word about an old one reaches no new one."""
    one = link("entries.run = () => { const s = connect(false); s.stop(); s.shut(); };")
    one.is_held = True
    for _ in range(50):
        one.vu.call("run")
    assert len(set(one.keys)) == 50
    assert len({key & 0xFFFFFFFF for key in one.keys}) < 50
    assert not any(one.open(key) for key in one.keys)


def test_messages_in_the_packet_of_the_handshake(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    one = link(secure=secure)
    one.rest = text("with it").serialize(mask=False) + text("cut").serialize(mask=False)[:3]
    running = one.vu.start("see", blocking)
    one.peer().sock.sendall(text("cut").serialize(mask=False)[3:] + b"\x88\x00")
    assert running.get(timeout=DEADLINE) == [["text", "with it"], ["text", "cut"], ["close", 1005, ""]]


# -- the end -----------------------------------------------------------------------------------------


def test_the_end_of_the_stream(link: Callable[..., Links], blocking: bool, secure: bool) -> None:
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    one.peer().send(text("last"))
    one.peer().end()
    assert running.get(timeout=DEADLINE) == [["text", "last"], ["end"]]


def test_the_end_in_the_middle_of_a_frame(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    one.peer().sock.sendall(b"\x81\x7e\x10\x00" + b"x" * 100)
    one.peer().end()
    assert running.get(timeout=DEADLINE) == [["end"]]


def test_a_reset(link: Callable[..., Links], blocking: bool) -> None:
    one = link()
    running = one.vu.start("see", blocking)
    until(lambda: one.vu.state in (WAITING, LISTENING))
    one.peer().reset()
    assert running.get(timeout=DEADLINE) == [["reset"]]


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1013, 3000, 4999])
def test_close_frames_of_the_peer(
    link: Callable[..., Links], blocking: bool, secure: bool, code: int
) -> None:
    """k6/ws answers by its own close(); otherwise the core answers at once."""
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    one.peer().send(text("before"), Frame(Opcode.CLOSE, Close(code, "why").serialize()), text("behind"))
    assert running.get(timeout=DEADLINE) == [["text", "before"], ["close", code, "why"]]
    sent = [(each.opcode, bytes(each.data)) for each in one.peer().frames()]
    assert sent == ([] if blocking else [(Opcode.CLOSE, code.to_bytes(2, "big"))])


def test_a_close_frame_without_code(link: Callable[..., Links]) -> None:
    one = link()
    running = one.vu.start("see", False)
    one.peer().send(Frame(Opcode.CLOSE, b""))
    assert running.get(timeout=DEADLINE) == [["close", 1005, ""]]
    assert [bytes(each.data) for each in one.peer().frames()] == [b""]


CLOSING = """
entries.run = (isBlocking, code, reason) => {
  const session = connect(isBlocking, {
    open(value, more, session) {
      session.sendText('before');
      seen.push(session.sendClose(code, reason), session.sendText('behind'), session.sendClose(1000));
      if (isBlocking) { session.shut(); session.stop(); }
    },
  });
  return see(session, isBlocking);
};
"""


@pytest.mark.parametrize(
    ("code", "reason", "payload"),
    [
        (1000, None, b"\x03\xe8"),
        (4001, "bye", b"\x0f\xa1bye"),
        (1005, None, b""),
        (1001, "ü" * 61, b"\x03\xe9" + ("ü" * 61).encode()),
    ],
)
def test_close_frames_of_the_script(
    link: Callable[..., Links],
    blocking: bool,
    secure: bool,
    code: int,
    reason: str | None,
    payload: bytes,
) -> None:
    """They arrive, and nothing follows them."""
    one = link(CLOSING, secure=secure)
    running = one.vu.start("run", blocking, code, reason)
    sent = one.peer().frames(2)
    if not blocking:
        one.peer().send(Frame(Opcode.CLOSE, payload))
    assert running.get(timeout=DEADLINE)[:3] == [True, False, False]
    assert [(each.opcode, bytes(each.data)) for each in sent + one.peer().frames()] == [
        (Opcode.TEXT, b"before"), (Opcode.CLOSE, payload),
    ]  # fmt: skip


def test_messages_after_the_scripts_close_are_dropped(link: Callable[..., Links]) -> None:
    one = link(
        "entries.run = () => { const s = connect(false, { open(v, m, session) { session.sendClose(1000); } }); return see(s); };"
    )
    running = one.vu.start("run")
    one.peer().frames(1)
    one.peer().send(text("late"), Frame(Opcode.PING, b"p"), Frame(Opcode.CLOSE, b"\x03\xe8"))
    assert running.get(timeout=DEADLINE) == [["ping"], ["close", 1000, ""]]
    assert one.measured()[1] is None


def test_what_is_stopped_hears_nothing_more(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    one = link(
        "entries.run = (isBlocking) => { const s = connect(isBlocking, { text(v, m, session) { session.stop(); } });"
        "  see(s, isBlocking); const first = s.sendText('still'); s.shut(); return [first, s.sendText('no more'), s.ping()]; };",
        secure=secure,
    )
    running = one.vu.start("run", blocking)
    one.peer().send(text("a"), text("b"), text("c"))
    assert running.get(timeout=DEADLINE) == [True, False, False]
    assert [bytes(each.data) for each in one.peer().frames()] == [b"still"]
    assert one.vu.call("seen") == []


def test_bytes_on_the_wire_are_counted(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    """With TLS also what that has cost."""
    one = link(ECHO, secure=secure)
    serving = gevent.spawn(echo, one)
    one.vu.call("echo", blocking, 1, 10_000)
    serving.get(timeout=DEADLINE)
    sent, received = one.bytes
    if secure:
        assert sent > 10_008 + 4 + 200
        assert received > 10_004 + 500
    else:
        assert (sent, received) == (10_008 + 8, 10_004 + 4)


# -- interruptions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where", ["waiting", "sleeping in a handler", "computing in a handler", "asking in a handler"]
)
def test_an_interruption_says_goodbye(
    link: Callable[..., Links], blocking: bool, secure: bool, where: str
) -> None:
    """With a close frame; the VU goes on, and connects again."""
    one = link(
        """
        const handlers = {
          'waiting': () => {},
          'sleeping in a handler': () => core.sleep(1e9),
          'computing in a handler': () => { for (;;) { try { for (;;) {} } catch {} } },
          'asking in a handler': () => host('wait'),
        };
        entries.run = (isBlocking, where) => see(connect(isBlocking, { text: handlers[where] }), isBlocking);
        """,
        secure=secure,
    )

    def wait() -> None:
        gevent.sleep(1e6)

    wait.is_blocking = True  # type: ignore[attr-defined]
    one.vu._named["wait"] = wait
    for count in range(3):
        running = one.vu.start("run", blocking, where)
        peer = one.peer(count)
        peer.send(text("go"))
        gevent.sleep(0.005)  # the handler of the message runs
        one.vu.interpreter.interrupt()
        assert isinstance(running.get(timeout=DEADLINE), Interrupted)
        assert [(each.opcode, bytes(each.data)) for each in peer.frames()] == [
            (Opcode.CLOSE, b"\x03\xe9" if blocking else b"\x03\xe8")
        ]
    assert one.library.core_sessions_open() == 0
    assert one.measured()[3] is None


def test_an_interruption_measures_sessions_if_it_is_told_to(link: Callable[..., Links]) -> None:
    """As the one by which a script aborts the test."""
    one = link()
    one.library.core_vu_measure_sessions(one.vu.index, True)
    running = one.vu.start("see", True)
    until(lambda: one.vu.state == LISTENING)
    one.vu.interpreter.interrupt()
    assert isinstance(running.get(timeout=DEADLINE), Interrupted)
    assert len(one.measured()[3]) == 1


def test_closed_sessions_are_counted_by_code(link: Callable[..., Links], secure: bool) -> None:
    """The code of the first close frame in either direction, or of the violation; 1006 without any."""
    one = link(
        "entries.run = (kind) => { connect(false, kind === 'own' ? { open(value, more, session) {"
        " session.sendClose(3001); } } : {}); return see(); };",
        secure=secure,
    )
    pairs = (ctypes.c_uint32 * (2 * MAX_CLOSE_CODES))()
    one.library.core_session_closes(pairs)
    close = Frame(Opcode.CLOSE, struct.pack("!H", 4001))
    for count, (kind, play) in enumerate((
        ("theirs", lambda peer: peer.send(close)), ("theirs", lambda peer: peer.send(close)),
        ("own", lambda peer: peer.send(*peer.frames(1), close)), ("none", lambda peer: peer.end()),
        ("empty", lambda peer: peer.send(Frame(Opcode.CLOSE, b""))),
        ("wrong", lambda peer: peer.sock.sendall(b"\xff\x00")),
    )):  # fmt: skip
        running = one.vu.start("run", kind)
        play(one.peer(count))
        running.get(timeout=DEADLINE)
    size = one.library.core_session_closes(pairs)
    counts = dict(zip(pairs[: 2 * size : 2], pairs[1 : 2 * size : 2], strict=True))
    assert counts == {4001: 2, 3001: 1, 1006: 1, 1005: 1, 1002: 1}
    assert one.library.core_session_closes(pairs) == 0


def test_further_close_codes_are_counted_together(link: Callable[..., Links]) -> None:
    one = link("entries.run = () => { connect(false); return see(); };")
    pairs = (ctypes.c_uint32 * (2 * MAX_CLOSE_CODES))()
    one.library.core_session_closes(pairs)
    for count in range(MAX_CLOSE_CODES + 5):
        running = one.vu.start("run")
        one.peer(count).send(Frame(Opcode.CLOSE, struct.pack("!H", 4000 + count)))
        running.get(timeout=DEADLINE)
    assert one.library.core_session_closes(pairs) == MAX_CLOSE_CODES
    counts = dict(zip(pairs[::2], pairs[1::2], strict=True))
    assert counts == {4000 + number: 1 for number in range(MAX_CLOSE_CODES - 1)} | {0: 6}


def test_sessions_are_counted_while_they_are_open(link: Callable[..., Links], secure: bool) -> None:
    one = link("entries.run = () => { connect(false); connect(false); return see(); };", secure=secure)
    before = one.library.core_sessions_open()
    running = one.vu.start("run")
    one.peer(1)
    until(lambda: one.library.core_sessions_open() == before + 2)
    one.peer(0).end()
    until(lambda: one.library.core_sessions_open() == before + 1)
    one.peer(1).end()
    assert running.get(timeout=DEADLINE) == [["end"], ["end"]]
    assert one.library.core_sessions_open() == before


def test_a_sleeping_vu_is_not_told_before_it_wakes(link: Callable[..., Links], blocking: bool) -> None:
    one = link(
        "entries.run = (isBlocking) => { const order = []; const s = connect(isBlocking, { open() { core.sleep(200); order.push('slept'); },"
        "  text(v, m, session) { order.push(v); session.stop(); session.shut(); } }); see(s, isBlocking); return order; };"
    )
    running = one.vu.start("run", blocking)
    until(lambda: one.vu.state == SLEEPING)
    one.peer().send(text("meanwhile"))
    assert running.get(timeout=DEADLINE) == ["slept", "meanwhile"]
