"""The bundled gRPC service with other clients: grpcio, and a client that breaks the rules of HTTP/2."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from waiting import DEADLINE

from jsrunner.proto.compiler import Compiler
from jsrunner.proto.schema import Library, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsrunner.server.server import Addresses

PROTO = Path(__file__).parents[2] / "js_scripts" / "data" / "playground.proto"
SERVICE = "/jsrunner.v1.Playground"


@pytest.fixture
def channel(server: Addresses) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc) as opened:
        yield opened


@pytest.fixture(scope="session")
def library() -> Library:
    loaded = Library()
    loaded.add(Schema(Compiler(lambda path: PROTO.read_text()).compile(["playground.proto"])))
    return loaded


def stub(channel: grpc.Channel, library: Library, name: str) -> tuple[Any, Any]:
    """Return a function that calls a method, and the class of its requests."""
    method = library.method(f"{SERVICE}/{name}")
    assert method is not None
    kind = f"{'stream' if method.client_streams else 'unary'}_{'stream' if method.server_streams else 'unary'}"
    return getattr(channel, kind)(
        method.path,
        request_serializer=method.request.make.SerializeToString,
        response_deserializer=method.response.make.FromString,
    ), method.request.make


def test_echo(channel: grpc.Channel, library: Library) -> None:
    echo, request = stub(channel, library, "Echo")
    reply = echo(request(text="hello", payload=b"\x00\x01"))
    assert (reply.text, reply.payload) == ("hello", b"\x00\x01")
    assert len(echo(request(payload=bytes(3_000_000))).payload) == 3_000_000
    assert echo(request(text="late", delay_ms=20)).text == "late"


def test_echo_ends_with_the_status_that_is_asked_for(channel: grpc.Channel, library: Library) -> None:
    echo, request = stub(channel, library, "Echo")
    with pytest.raises(grpc.RpcError) as caught:
        echo(request(text="50 % of ünicode", status=9))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "50 % of ünicode"


def test_clock(channel: grpc.Channel, library: Library) -> None:
    clock, request = stub(channel, library, "Clock")
    assert [tick.number for tick in clock(request(count=3, interval_ms=1))] == [0, 1, 2]
    assert [tick.number for tick in clock(request())] == [0]
    with pytest.raises(grpc.RpcError) as caught:
        list(clock(request(count=-1)))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_clock_that_nobody_hears_stops(channel: grpc.Channel, library: Library) -> None:
    clock, request = stub(channel, library, "Clock")
    ticks = clock(request(count=1000, interval_ms=1))
    next(ticks)
    ticks.cancel()
    assert [tick.number for tick in clock(request(count=2))] == [0, 1]


def test_chat(channel: grpc.Channel, library: Library) -> None:
    chat, request = stub(channel, library, "Chat")
    heard = list(chat(iter([request(room="r", user="a", text="1"), request(text="2")])))
    assert [(one.room, one.user, one.text) for one in heard] == [("r", "a", "1"), ("r", "", "2")]


def test_health(channel: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    assert health.Check(health_pb2.HealthCheckRequest()).status == serving
    assert (
        health.Check(health_pb2.HealthCheckRequest(service="jsrunner.v1.Playground")).status == serving
    )
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection(channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    assert database.get_services() == ["jsrunner.v1.Playground"]
    file = database.FindFileContainingSymbol("jsrunner.v1.Playground")
    assert [one.name for one in file.service[0].method] == ["Echo", "Clock", "Chat"]
    with pytest.raises(KeyError):
        database.FindFileByName("nope.proto")


def test_what_is_not_served(channel: grpc.Channel, library: Library) -> None:
    call = channel.unary_unary("/nobody/Nothing")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    garbage = channel.unary_unary(f"{SERVICE}/Echo")
    with pytest.raises(grpc.RpcError) as caught:
        garbage(b"\xff\xff")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    echo, request = stub(channel, library, "Echo")
    with pytest.raises(grpc.RpcError) as caught:
        echo(request(text="x" * 1000), compression=grpc.Compression.Gzip)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_who_speaks_no_http2_is_let_go(server: Addresses) -> None:
    host, port = server.grpc.split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while client.recv(4096):
            pass
