"""Strict mode: sessions by RFC 6455 and RFC 7692 where k6 does otherwise.

The cases are of the kinds that the Autobahn|Testsuite has: its sections 3 to 7 (frames), 12 and 13
(permessage-deflate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from servers import accept, drain, frame, header, read_frame
from waiting import until
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from running import Process
    from servers import Server

    Run = Callable[..., Process]
    Serve = Callable[[Callable[[socket.socket], Any]], Server]

STRICT = {"JSRUNNER_STRICT_WEBSOCKET": "true"}
MODULES = {
    "ws": """
        import ws from 'k6/ws';
        const params = __ENV.COMPRESSION ? { compression: __ENV.COMPRESSION } : {};
        export default function () {
          ws.connect(__ENV.URL, params, (socket) => {
            socket.on('message', (text) => { console.log('message', text); socket.send(text); });
            socket.on('close', () => console.log('close'));
          });
        }""",
    "websockets": """
        import { WebSocket } from 'k6/websockets';
        const params = __ENV.COMPRESSION ? { compression: __ENV.COMPRESSION } : {};
        export default function () {
          const socket = new WebSocket(__ENV.URL, null, params);
          socket.onmessage = ({ data }) => { console.log('message', data); socket.send(data); };
          socket.onclose = () => console.log('close');
          socket.onerror = ({ error }) => { if (/negotiation/.test(error)) console.log(error); };
        }""",
}

#: Frames behind a good message, and the code with which the client has to fail the connection. None
#: of them is followed by anything: the client must not wait for more.
BAD = {
    "reserved bit": (frame(b"x", reserved=1), 1002),
    "reserved bit of a control frame": (frame(b"", 9, reserved=4), 1002),
    "opcode 3": (frame(b"", 3), 1002),
    "opcode 15": (frame(b"", 15), 1002),
    "fragmented ping": (frame(b"", 9, final=False), 1002),
    "long ping": (frame(bytes(126), 9), 1002),
    "continuation of nothing": (frame(b"x", 0), 1002),
    "message in a message": (frame(b"x", final=False) + frame(b"y"), 1002),
    "half a close code": (frame(b"\x03", 8), 1002),
    "close code 1005": (frame(b"\x03\xed", 8), 1002),
    "close reason that is no UTF-8": (frame(b"\x03\xe8\xce\xba\xe1", 8), 1007),
    "text that is no UTF-8": (frame(b"\xce\xba\xe1\xbd\xb9\xff"), 1007),
    "beginning of a text": (frame(b"\xce\xba\xed\xa0\x80" + bytes(1000))[:9], 1007),
    "beginning of a fragment": (
        frame(b"\xce\xba\xf4", final=False) + frame(b"\x90" + bytes(100), 0)[:3],
        1007,
    ),
    "length in too many bytes": (b"\x81\x7e\x00\x05hello", 1002),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("module", MODULES)
def test_bad_frames(run: Run, serve: Serve, module: str, bad: str) -> None:
    """The message in front of them is delivered and answered; then the connection fails at once."""
    data, code = BAD[bad]
    answers = []

    def serve_bad(connection: socket.socket) -> None:
        accept(connection, rest=frame("κόσμε".encode()) + data)
        answers.extend((read_frame(connection), read_frame(connection)))
        drain(connection)

    done = run(MODULES[module], "-e", f"URL={serve(serve_bad).url}", "-e", "COMPRESSION=", env=STRICT)
    assert done.code == 0
    assert done.messages() == ["message κόσμε", "close"]
    until(lambda: answers, "the server to read both frames")
    assert answers == [(0x81, "κόσμε".encode()), (0x88, code.to_bytes(2, "big"))]


#: Answers to the offer of permessage-deflate: whether the client's second equal message is shorter.
ANSWERS = {
    "permessage-deflate": True,
    "permessage-deflate; client_no_context_takeover": False,
    "permessage-deflate; server_no_context_takeover": True,
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover": False,
    "permessage-deflate; client_max_window_bits=10; server_max_window_bits=9": True,
    "permessage-deflate; client_max_window_bits=8": False,
}
TEXT = "".join(chr(33 + 7 * i % 90) + chr(33 + i * i % 89) for i in range(300))


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("module", MODULES)
def test_deflate(run: Run, serve: Serve, module: str, answer: str) -> None:
    """The server's parameters apply: windows and context takeover."""
    bits = dict(one.strip().split("=") for one in answer.split(";") if "=" in one)
    extension = PerMessageDeflate(
        remote_no_context_takeover="client_no" in answer,
        local_no_context_takeover="server_no" in answer,
        remote_max_window_bits=int(bits.get("client_max_window_bits", 15)),
        local_max_window_bits=int(bits.get("server_max_window_bits", 15)),
    )
    offers, sizes, texts = [], [], []

    def packed() -> bytes:
        one = extension.encode(Frame(Opcode.TEXT, TEXT.encode()))
        return frame(bytes(one.data), reserved=4)

    def serve_deflated(connection: socket.socket) -> None:
        request = accept(connection, extra=f"Sec-WebSocket-Extensions: {answer}\r\n")
        offers.append(header(request, "Sec-WebSocket-Extensions"))
        for _ in range(2):
            connection.sendall(packed())
            first, payload = read_frame(connection)
            assert first == 0xC1
            sizes.append(len(payload))
            texts.append(extension.decode(Frame(Opcode.TEXT, payload, rsv1=True)).data.decode())
        connection.sendall(frame(b"\x03\xe8", 8))
        drain(connection)

    done = run(
        MODULES[module], "-e", f"URL={serve(serve_deflated).url}", "-e", "COMPRESSION=deflate",
        env=STRICT,
    )  # fmt: skip
    assert done.messages() == [f"message {TEXT}"] * 2 + ["close"]
    assert offers == ["permessage-deflate; client_max_window_bits"]
    assert texts == [TEXT, TEXT]
    assert (sizes[1] < sizes[0] / 2) == ANSWERS[answer]


@pytest.mark.parametrize(
    ("compression", "answer"),
    [
        ("", "permessage-deflate"),
        ("deflate", "x-other"),
        ("deflate", "permessage-deflate; unknown"),
        ("deflate", "permessage-deflate; server_max_window_bits=16"),
    ],
)
@pytest.mark.parametrize("module", MODULES)
def test_answers_that_were_not_asked_for(
    run: Run, serve: Serve, module: str, compression: str, answer: str
) -> None:
    def answer_so(connection: socket.socket) -> None:
        accept(connection, extra=f"Sec-WebSocket-Extensions: {answer}\r\n")
        drain(connection)

    url = serve(answer_so).url
    done = run(MODULES[module], "-e", f"URL={url}", "-e", f"COMPRESSION={compression}", env=STRICT)
    events = {"ws": [], "websockets": ["websocket: invalid compression negotiation", "close"]}
    assert [one["msg"] for one in done.records() if one.get("source") == "console"] == events[module]
