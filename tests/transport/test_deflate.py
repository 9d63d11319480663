from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from jsrunner.transport.deflate import Deflate, negotiate, negotiate_strictly
from jsrunner.transport.errors import DialError, MessageTooBig, ProtocolViolation

LIMIT = 1 << 20
BOTH = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@given(st.lists(st.binary(max_size=2000), max_size=5), st.booleans(), st.integers(8, 15))
def test_round_trips(messages: list[bytes], takeover: bool, bits: int) -> None:
    one = Deflate(takeover_out=takeover, bits_out=bits)
    other = Deflate(takeover_in=takeover, bits_in=bits)
    for message in messages:
        assert other.decompress(one.compress(message), LIMIT) == message


def test_without_takeover_equal_messages_are_equal() -> None:
    once = Deflate()
    assert once.compress(b"a" * 100) == once.compress(b"a" * 100)
    kept = Deflate(takeover_out=True)
    assert len(kept.compress(b"abcdefgh" * 20)) > len(kept.compress(b"abcdefgh" * 20))


def test_the_examples_of_rfc_7692() -> None:
    assert Deflate().decompress(bytes.fromhex("f248cdc9c90700"), LIMIT) == b"Hello"
    kept = Deflate(takeover_in=True)
    assert kept.decompress(bytes.fromhex("f248cdc9c90700"), LIMIT) == b"Hello"
    assert kept.decompress(bytes.fromhex("f200110000"), LIMIT) == b"Hello"
    # A block without compression, one with BFINAL, and two blocks (7.2.3.3 to 7.2.3.5).
    assert Deflate().decompress(bytes.fromhex("000500faff48656c6c6f00"), LIMIT) == b"Hello"
    assert Deflate().decompress(bytes.fromhex("f348cdc9c9070000"), LIMIT) == b"Hello"
    assert (
        Deflate().decompress(bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", "")), LIMIT)
        == b"Hello"
    )
    assert Deflate().decompress(b"\x00", LIMIT) == b""


def test_empty_message() -> None:
    assert Deflate().compress(b"") == b"\x00"


def test_too_big() -> None:
    packed = Deflate().compress(bytes(1001))
    assert Deflate().decompress(packed, 1001) == bytes(1001)
    with pytest.raises(MessageTooBig):
        Deflate().decompress(packed, 1000)


def test_garbage() -> None:
    with pytest.raises(ProtocolViolation):
        Deflate().decompress(b"\xff\xff", LIMIT)


def test_after_a_final_block_the_next_message_is_read() -> None:
    packer = zlib.compressobj(wbits=-15)
    final = packer.compress(b"one") + packer.flush()
    kept = Deflate(takeover_in=True)
    assert kept.decompress(final, LIMIT) == b"one"
    assert kept.decompress(Deflate().compress(b"two"), LIMIT) == b"two"


@pytest.mark.parametrize(
    "answers",
    [
        [BOTH],
        [f"x-other, {BOTH}"],
        [BOTH + "; server_max_window_bits=15"],
        ["x-other; a=b", BOTH],
        [BOTH.replace("; ", " ;\t")],
        ['x-other; a="1, \\" 2", ' + BOTH],
    ],
)
def test_accepted(answers: list[str]) -> None:
    assert negotiate(answers) is not None


@pytest.mark.parametrize("answers", [[], [""], ["x-other; a=b"], ["=, " + BOTH]])
def test_not_accepted(answers: list[str]) -> None:
    assert negotiate(answers) is None


@pytest.mark.parametrize("missing", ["server_no_context_takeover", "client_no_context_takeover"])
def test_half_accepted(missing: str) -> None:
    with pytest.raises(DialError, match="invalid compression negotiation"):
        negotiate([BOTH.replace(f"; {missing}", "")])


# -- strict mode -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "; server_no_context_takeover",
        "; client_no_context_takeover",
        "; server_no_context_takeover; client_no_context_takeover",
        "; server_max_window_bits=8",
        "; client_max_window_bits=9; server_max_window_bits=10",
        '; client_max_window_bits="15"',
    ],
)
@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_what_a_server_may_choose(answer: str, messages: list[bytes]) -> None:
    """websockets' server side of the same parameters understands it, and is understood."""
    ours = negotiate_strictly([f"permessage-deflate{answer}"], is_offered=True)
    assert ours is not None
    values = dict(one.strip().partition("=")[::2] for one in answer.split(";") if one.strip())
    bits = {name: int(value.strip('"')) for name, value in values.items() if value}
    theirs = PerMessageDeflate(
        remote_no_context_takeover="client_no_context_takeover" in values,
        local_no_context_takeover="server_no_context_takeover" in values,
        remote_max_window_bits=bits.get("client_max_window_bits", 15),
        local_max_window_bits=max(bits.get("server_max_window_bits", 15), 9),
    )
    for message in messages:
        packed = Frame(Opcode.BINARY, ours.compress(message), rsv1=True)
        assert theirs.decode(packed).data == message
        assert (
            ours.decompress(bytes(theirs.encode(Frame(Opcode.BINARY, message)).data), LIMIT) == message
        )


def test_a_context_is_kept_where_that_was_agreed_on() -> None:
    message = bytes(range(256)) * 4
    kept = negotiate_strictly(["permessage-deflate"], is_offered=True)
    anew = negotiate_strictly(["permessage-deflate; client_no_context_takeover"], is_offered=True)
    assert kept is not None
    assert anew is not None
    first = kept.compress(message)
    assert anew.compress(message) == anew.compress(message) == first
    assert len(kept.compress(message)) < len(first) / 4


@pytest.mark.parametrize(
    "answer",
    [
        "x-other",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; unknown",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=x",
    ],
)
def test_what_a_server_may_not_choose(answer: str) -> None:
    with pytest.raises(DialError, match="invalid compression negotiation"):
        negotiate_strictly([answer], is_offered=True)


def test_what_was_not_offered() -> None:
    assert negotiate_strictly([], is_offered=False) is None
    with pytest.raises(DialError):
        negotiate_strictly(["permessage-deflate"], is_offered=False)
