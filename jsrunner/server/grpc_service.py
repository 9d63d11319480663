"""The gRPC service of the bundled server: playground.proto, health and reflection.

Imported with the first connection of a client. `grpc_server` has the connections.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from google.protobuf.message import DecodeError

from jsrunner.proto.compiler import Compiler
from jsrunner.proto.schema import Library, Schema

if TYPE_CHECKING:
    from jsrunner.proto.schema import Method

INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED = 3, 5, 12
_PLAYGROUND: Final = "playground.proto"
_SERVICE: Final = "jsrunner.v1.Playground"
_SERVING: Final = 1
_MOST_TICKS: Final = 1_000_000
_FILES: Final = {
    "health.proto": """
syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { int32 status = 1; }
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
""",
    "reflection.proto": """
syntax = "proto3";
package grpc.reflection;
message Request {
  string host = 1;
  oneof message_request {
    string file_by_filename = 3;
    string file_containing_symbol = 4;
    string list_services = 7;
  }
}
message Files { repeated bytes file_descriptor_proto = 1; }
message Service { string name = 1; }
message Services { repeated Service service = 1; }
message Error { int32 error_code = 1; string error_message = 2; }
message Response {
  string valid_host = 1;
  Request original_request = 2;
  oneof message_response {
    Files file_descriptor_response = 4;
    Services list_services_response = 6;
    Error error_response = 7;
  }
}
service Reflection { rpc ServerReflectionInfo(stream Request) returns (stream Response); }
""",
}


class ServerCall(Protocol):
    """A client's call, as handlers see it."""

    def send(self, message: Any) -> None:
        """Send a message."""

    def finish(self, code: int = 0, text: str = "") -> None:
        """End the call with a status; the first time counts."""


class Handler:
    """The handler of one call. It gets messages until they end, or until the call is gone."""

    def __init__(self, call: ServerCall, method: Method) -> None:
        self.call = call
        self.reply = method.response.make

    def take(self, message: Any) -> None:
        """Handle a message."""

    def end(self) -> None:
        """Handle the end of the client's messages."""

    def gone(self) -> None:
        """Handle the end of the call, whatever its reason."""


class _Echo(Handler):
    _timer: asyncio.TimerHandle | None = None

    def take(self, message: Any) -> None:
        if message.delay_ms > 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(message.delay_ms / 1000, self._answer, message)
        else:
            self._answer(message)

    def _answer(self, message: Any) -> None:
        if message.status:
            self.call.finish(message.status, message.text)
            return
        self.call.send(self.reply(text=message.text, payload=message.payload))
        self.call.finish()

    def gone(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class _Clock(Handler):
    _task: asyncio.Task[None] | None = None

    def take(self, message: Any) -> None:
        if not 0 <= message.count <= _MOST_TICKS:
            self.call.finish(INVALID_ARGUMENT, f"count must be between 0 and {_MOST_TICKS}")
            return
        self._task = asyncio.get_running_loop().create_task(
            self._tick(message.count or 1, max(message.interval_ms, 0) / 1000)
        )

    async def _tick(self, count: int, interval: float) -> None:
        for number in range(count):
            if number and interval:
                await asyncio.sleep(interval)
            self.call.send(self.reply(number=number, unix_ms=int(time.time() * 1000)))
        self.call.finish()

    def gone(self) -> None:
        if self._task is not None:
            self._task.cancel()


class _Chat(Handler):
    #: Calls by the room's name; a room that is empty is forgotten.
    _rooms: Final[dict[str, dict[_Chat, None]]] = {}
    _room = ""

    def take(self, message: Any) -> None:
        if not self._room:
            self._room = message.room or "lobby"
            self._rooms.setdefault(self._room, {})[self] = None
        message.room = self._room
        for member in list(self._rooms[self._room]):
            member.call.send(message)

    def end(self) -> None:
        self.call.finish()

    def gone(self) -> None:
        members = self._rooms.get(self._room, {})
        members.pop(self, None)
        if not members:
            self._rooms.pop(self._room, None)


class _Health(Handler):
    def take(self, message: Any) -> None:
        if message.service not in ("", _SERVICE):
            self.call.finish(NOT_FOUND, "unknown service")
            return
        self.call.send(self.reply(status=_SERVING))
        self.call.finish()


class _Reflection(Handler):
    def take(self, message: Any) -> None:
        kind = message.WhichOneof("message_request")
        answer = self.reply(original_request=message)
        if kind == "list_services":
            answer.list_services_response.service.add(name=_SERVICE)
        elif (kind == "file_by_filename" and message.file_by_filename == _PLAYGROUND) or (
            kind == "file_containing_symbol"
            and message.file_containing_symbol.startswith("jsrunner.v1.")
        ):
            descriptor = services().playground
            answer.file_descriptor_response.file_descriptor_proto.append(descriptor)
        else:
            answer.error_response.error_code = NOT_FOUND
            answer.error_response.error_message = "not found"
        self.call.send(answer)

    def end(self) -> None:
        self.call.finish()


class Services:
    """The methods that are served, by their paths."""

    def __init__(self) -> None:
        text = Path(__file__).with_name(_PLAYGROUND).read_text(encoding="utf-8")
        files = {**_FILES, _PLAYGROUND: text}
        descriptors = Compiler(files.__getitem__).compile(files)
        library = Library()
        library.add(Schema(descriptors))
        #: The serialized descriptor of playground.proto.
        self.playground = next(
            descriptor.SerializeToString()
            for descriptor in descriptors
            if descriptor.name == _PLAYGROUND
        )
        paths: dict[str, tuple[str, type[Handler]]] = {
            f"/{_SERVICE}/Echo": (f"/{_SERVICE}/Echo", _Echo),
            f"/{_SERVICE}/Clock": (f"/{_SERVICE}/Clock", _Clock),
            f"/{_SERVICE}/Chat": (f"/{_SERVICE}/Chat", _Chat),
            "/grpc.health.v1.Health/Check": ("/grpc.health.v1.Health/Check", _Health),
        }
        ask = "/grpc.reflection.Reflection/ServerReflectionInfo"
        for version in ("v1", "v1alpha"):
            path = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
            paths[path] = (ask, _Reflection)
        self._methods: dict[str, tuple[Method, type[Handler]]] = {}
        for path, (name, kind) in paths.items():
            method = library.method(name)
            assert method is not None
            self._methods[path] = (method, kind)

    def open(self, path: str, call: ServerCall) -> tuple[Method, Handler] | None:
        """Return a method and what handles a call of it; None if it is not served."""
        known = self._methods.get(path)
        return None if known is None else (known[0], known[1](call, known[0]))


_services: list[Services] = []


def services() -> Services:
    """Return the services, which are made with the first call."""
    if not _services:
        _services.append(Services())
    return _services[0]


def decode(method: Method, data: bytes) -> Any:
    """Return a request's message. Raises ValueError."""
    try:
        return method.request.make.FromString(data)
    except DecodeError as error:
        raise ValueError(str(error)) from None
