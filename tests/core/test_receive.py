"""What a session receives: frames in pieces of any size, while its VU waits and while it is busy."""

from __future__ import annotations

import os
import random
import select
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from core_session import rules, text
from core_vu import DEADLINE, LISTENING, READY, SLEEPING, WAITING, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import memory
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Frame, Opcode

from jsrunner.transport.deflate import Deflate

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_session import Links

#: Events of one message of each kind.
NAMES = {Opcode.TEXT: "text", Opcode.BINARY: "binary", Opcode.PING: "ping", Opcode.PONG: "pong"}
END = Frame(Opcode.CLOSE, b"\x03\xe8")
ENDED = ["close", 1000, ""]


def expected(frames: list[Frame]) -> list[list[Any]]:
    """The events of whole frames."""
    events: list[list[Any]] = []
    for one in frames:
        if one.opcode is Opcode.TEXT:
            events.append(["text", one.data.decode()])
        elif one.opcode is Opcode.BINARY:
            events.append(["binary", bytes(one.data)])
        elif one.opcode is Opcode.PING:
            events.append(["ping"])
        else:
            events.append(["pong", False, one.data.decode()])
    return events


FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=300).map(lambda data: Frame(Opcode.BINARY, data)),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(text),
        st.binary(max_size=125).map(lambda data: Frame(Opcode.PING, data)),
        st.text("abc0", max_size=100).map(lambda data: Frame(Opcode.PONG, data.encode())),
    ),
    min_size=1,
    max_size=12,
)


# -- frames ------------------------------------------------------------------------------------------


@given(FRAMES, st.integers(min_value=1, max_value=700))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_messages_in_pieces_of_any_size(
    link: Callable[..., Links], blocking: bool, secure: bool, frames: list[Frame], piece: int
) -> None:
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    sending = gevent.spawn(one.peer().send, *frames, END, piece=piece)
    assert running.get(timeout=DEADLINE) == [*expected(frames), ENDED]
    sending.get(timeout=DEADLINE)
    one.close()


@pytest.mark.parametrize("size", [125, 126, 16383, 16384, 65535, 65536, 262_144, 300_000, 3_000_000])
def test_sizes_around_lengths_and_buffers(
    link: Callable[..., Links], blocking: bool, secure: bool, size: int
) -> None:
    frames = [Frame(Opcode.BINARY, b"b" * size), text("t" * size), text("end")]
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    sending = gevent.spawn(one.peer().send, *frames, END, piece=50_000)
    assert running.get(timeout=DEADLINE) == [*expected(frames), ENDED]
    sending.get(timeout=DEADLINE)


def test_frames_cut_at_every_byte(link: Callable[..., Links], blocking: bool, secure: bool) -> None:
    """Of a fragmented message with control frames between its fragments; each time in a session of its own."""
    frames = [
        Frame(Opcode.TEXT, "grü".encode()[:3], fin=False),
        Frame(Opcode.PING, b"ping"),
        Frame(Opcode.CONT, "grü".encode()[3:], fin=False),
        Frame(Opcode.PONG, b""),
        Frame(Opcode.CONT, b"!" * 130, fin=True),
        Frame(Opcode.BINARY, b"", fin=False),
        Frame(Opcode.CONT, b"x"),
        Frame(Opcode.CLOSE, Close(1000, "bye").serialize()),
    ]
    data = b"".join(one.serialize(mask=False) for one in frames)
    one = link(secure=secure)
    for number, cut in enumerate(range(1, len(data), 9 if secure else 1)):
        one.rest = data[:cut]
        running = one.vu.start("see", blocking)
        one.peer(number).sock.sendall(data[cut:])
        assert running.get(timeout=DEADLINE) == [
            ["ping"],
            ["pong", False, ""],
            ["text", "grü" + "!" * 130],
            ["binary", b"x"],
            ["close", 1000, "bye"],
        ], cut


def test_an_incomplete_frame_is_waited_for(
    link: Callable[..., Links], blocking: bool, secure: bool
) -> None:
    """Neither the VU nor the core looks at it over and over."""
    one = link(secure=secure)
    running = one.vu.start("see", blocking)
    peer, data = one.peer(), text("x" * 100_000).serialize(mask=False)
    for start in (0, 5, 40_000):
        peer.sock.sendall(data[start : {0: 5, 5: 40_000, 40_000: -1}[start]])
        until(lambda: one.vu.state == (LISTENING if blocking else WAITING))
        for _ in range(20):
            gevent.sleep(0)
            assert one.vu.state != READY
    peer.sock.sendall(data[-1:] + END.serialize(mask=False))
    assert running.get(timeout=DEADLINE) == [["text", "x" * 100_000], ENDED]


@pytest.mark.parametrize(
    "data",
    [
        bytes([0x83, 0]),
        bytes([0x8B, 0]),
        bytes([0x91, 0]),
        bytes([0xA1, 0]),
        bytes([0xC1, 0]),
        bytes([0x81, 0x80, 0, 0, 0, 0]),
        bytes([0x09, 0]),
        bytes([0x88, 126, 0, 126]) + bytes(126),
        bytes([0x80, 0]),
        bytes([0x01, 0, 0x81, 0]),
        *(Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=False)
          for code in (0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000)),
        Frame(Opcode.CLOSE, b"\x03\xe8\xff").serialize(mask=False),
    ],
    ids=lambda data: data[:5].hex(),
)  # fmt: skip
def test_violations_end_the_connection_with_1002(
    link: Callable[..., Links], blocking: bool, data: bytes
) -> None:
    """What came in front of one is delivered first, what came behind is not."""
    one = link()
    one.rest = text("before").serialize(mask=False) + data + b"\x81\x05after"
    before, last = one.vu.call("see", blocking)
    assert before == ["text", "before"]
    assert last[:2] == ["violation", 1002]
    assert [(each.opcode, bytes(each.data)) for each in one.peer().frames()] == [
        (Opcode.CLOSE, b"\x03\xea")
    ]


@pytest.mark.parametrize("payload", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"ok \xf0\x9f"])
@pytest.mark.parametrize("padding", [0, 5000])
def test_invalid_utf8(link: Callable[..., Links], payload: bytes, padding: int) -> None:
    """k6 repairs it, byte by byte; the strict client fails the connection (RFC 6455, 8.1)."""
    payload = b"x" * padding + payload
    one = link()
    one.rest = Frame(Opcode.TEXT, payload).serialize(mask=False) + END.serialize(mask=False)
    repaired = "".join(chr(each) if each < 128 else "\ufffd" for each in payload)
    assert one.vu.call("see", False) == [["text", repaired], ENDED]
    rules(one.library, strict=True)
    assert one.vu.call("see", False)[0][:2] == ["violation", 1007]
    assert [bytes(each.data) for each in one.peer(1).frames()] == [b"\x03\xef"]


@pytest.mark.parametrize(
    ("limits", "frames"),
    [
        ({"frame": 1000}, [Frame(Opcode.BINARY, bytes(1001))]),
        ({"message": 1000}, [Frame(Opcode.BINARY, bytes(600), fin=False), Frame(Opcode.CONT, bytes(600))]),
        ({"fragments": 3}, [Frame(Opcode.TEXT, b"a", fin=False), *[Frame(Opcode.CONT, b"b", fin=False)] * 3]),
    ],
)  # fmt: skip
def test_messages_that_are_too_big(
    link: Callable[..., Links], blocking: bool, limits: dict[str, int], frames: list[Frame]
) -> None:
    """They end the connection, as in k6 without a close frame of the core's; those that fit come before."""
    one = link()
    rules(one.library, **limits)
    running = one.vu.start("see", blocking)
    one.peer().send(text("fits"), *frames)
    first, last = running.get(timeout=DEADLINE)
    assert first == ["text", "fits"]
    assert last[:2] == ["violation", 1009]
    assert one.peer().frames() == []


# -- pings -------------------------------------------------------------------------------------------


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


BUSY = ["core.sleep(1e9)", "for (;;) {}", "host('wait')"]


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

    one.vu._named["enough"] = lambda: sent > 64 << 20
    running = one.vu.start("run", blocking)
    sending = gevent.spawn(send)
    assert running.get(timeout=DEADLINE) > 0
    assert memory(os.getpid()) < before + (45 << 20)
    sending.kill()


# -- back-pressure -----------------------------------------------------------------------------------


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
    """What waits does not grow with each message that is delivered."""
    one = link(
        """
        entries.run = () => {
          let count = 0;
          see(connect(false, { every() { seen.length = 0; }, text() { count += 1; if (count < 200) core.sleep(1); } }));
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
    gevent.sleep(0.01)
    one.peer().reset()
    gevent.sleep(0.02)
    poller = one.vu.engine._watcher.fd
    assert not any(select.select([poller], [], [], 0)[0] for _ in range(3) if not gevent.sleep(0.002))
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
              if (value === 'first') { loop.addTimer(() => order.push('timer'), 30, -1, 0); host('rest'); }
            },
          }));
          return [order, times.every((time, i) => i === 0 || time >= times[i - 1])];
        };
        """,
        secure=secure,
    )
    resting = gevent.event.Event()

    def rest() -> None:
        resting.wait()

    rest.is_blocking = True  # type: ignore[attr-defined]
    one.vu._named["rest"] = rest
    running = one.vu.start("run")
    peer = one.peer()
    peer.send(text("first"))
    until(lambda: one.vu.state not in (WAITING, 0, 1))
    peer.send(text("early"))
    gevent.sleep(0.06)
    peer.send(text("late"), END)
    gevent.sleep(0.01)
    resting.set()
    assert running.get(timeout=DEADLINE) == [["first", "early", "timer", "late"], True]


# -- permessage-deflate ------------------------------------------------------------------------------


@pytest.mark.parametrize("takeover", [False, True])
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3000), min_size=1, max_size=6)
)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_deflate_both_ways(
    link: Callable[..., Links], blocking: bool, secure: bool, takeover: bool, texts: list[str]
) -> None:
    texts = [one * 5 for one in texts]
    one = link(
        "entries.run = (isBlocking) => see(connect(isBlocking, { text(value, more, session) { session.sendText(value); } }), isBlocking);",
        secure=secure,
    )
    one.deflate = Deflate(takeover_out=takeover, takeover_in=takeover)
    running = one.vu.start("run", blocking)
    peer = one.peer()
    peer.extensions = [PerMessageDeflate(not takeover, not takeover, 15, 15)]
    peer.send(*map(text, texts), piece=1000)
    assert [bytes(each.data).decode() for each in peer.frames(len(texts))] == texts
    peer.send(END)
    assert running.get(timeout=DEADLINE) == [*[["text", each] for each in texts], ENDED]
    one.close()


def test_compressed_message_in_fragments(link: Callable[..., Links], blocking: bool) -> None:
    extension = PerMessageDeflate(True, True, 15, 15)
    whole = text("hello " * 100).serialize(mask=False, extensions=[extension])
    payload = whole[2:] if whole[1] < 126 else whole[4:]
    one = link()
    one.deflate = Deflate()
    one.rest = (
        bytes([0x41, 3]) + payload[:3]
        + Frame(Opcode.PING, b"p").serialize(mask=False)
        + bytes([0x80, len(payload) - 3]) + payload[3:] + END.serialize(mask=False)
    )  # fmt: skip
    assert one.vu.call("see", blocking) == [["ping"], ["text", "hello " * 100], ENDED]


@pytest.mark.parametrize(
    "data",
    [
        bytes([0xC1, 3]) + b"\xff\xff\xff",  # no deflate
        bytes([0xC9, 0]),  # a compressed ping
        bytes([0x01, 0, 0xC0, 0]),  # a continuation that says so
    ],
)
def test_violations_of_deflate(link: Callable[..., Links], blocking: bool, data: bytes) -> None:
    one = link()
    one.deflate = Deflate()
    one.rest = data
    [last] = one.vu.call("see", blocking)
    assert last[:2] == ["violation", 1002]
    assert [bytes(each.data) for each in one.peer().frames()] == [b"\x03\xea"]
    assert one.vu.faults == []


def test_message_that_inflates_without_end(link: Callable[..., Links], blocking: bool) -> None:
    one = link()
    one.deflate = Deflate()
    one.rest = text("x" * (2 << 20)).serialize(
        mask=False, extensions=[PerMessageDeflate(True, True, 15, 15)]
    )
    [last] = one.vu.call("see", blocking)
    assert last[:2] == ["violation", 1009]
    assert one.peer().frames() == []
    assert one.vu.faults == []
