"""Server reflection, in its versions v1 and v1alpha.

https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, Final

from gevent import get_hub, getcurrent
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from jsrunner.modules.k6.net.grpc.specs import BadMetadata, metadata_fields
from jsrunner.options.numbers import quote
from jsrunner.proto.compiler import Compiler
from jsrunner.proto.errors import SchemaError
from jsrunner.proto.schema import Library, Schema
from jsrunner.transport.rpc_call import Call
from jsrunner.transport.rpc_status import (
    ABANDONED,
    INTERNAL,
    OK,
    UNIMPLEMENTED,
    RPCError,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenlet import greenlet

    from jsrunner.modules.k6.net.grpc.connecting import ConnectSettings, GrpcConnection
    from jsrunner.proto.messages import MessageType

_VERSIONS: Final = ("v1", "v1alpha")
#: The used part of the protocol; both versions have the same fields.
_PROTOCOL: Final = """
syntax = "proto3";
message Request {
  oneof message_request {
    string file_by_filename = 3;
    string file_containing_symbol = 4;
    string list_services = 7;
  }
}
message Files { repeated bytes file_descriptor_proto = 1; }
message Services { repeated Service service = 1; }
message Service { string name = 1; }
message Error { int32 error_code = 1; string error_message = 2; }
message Response {
  oneof message_response {
    Files file_descriptor_response = 4;
    Services list_services_response = 6;
    Error error_response = 7;
  }
}
service Reflection { rpc Ask(stream Request) returns (stream Response); }
"""


@functools.cache
def _types() -> tuple[MessageType, MessageType]:
    schema = Schema(Compiler(lambda path: _PROTOCOL).compile(["reflection.proto"]))
    library = Library()
    library.add(schema)
    method = library.method("/Reflection/Ask")
    assert method is not None
    return method.request, method.response


class _Conversation:
    """A stream of questions and answers, one after the other."""

    def __init__(
        self,
        version: str,
        connection: GrpcConnection,
        params: ConnectSettings,
        begin: Callable[[Call], Callable[[], object]],
    ) -> None:
        """Begin the call. Raises RPCError."""
        request, response = _types()
        self._request = request
        #: Messages of a class that protobuf makes of the schema.
        self._answers: list[Any] = []
        self._greenlet: greenlet | None = None
        self.call = Call(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            (),
            decode=response.make.FromString,
            streams=True,
            max_receive=connection.max_receive,
        )
        try:
            self.call.fields = metadata_fields(params.reflect_metadata)
        except BadMetadata as error:
            raise RPCError(Status(INTERNAL, str(error))) from None
        self.call.deadline = time.monotonic() + params.timeout
        self.call.expire_in(params.timeout, get_hub().loop)
        self.call.on_message = self._take
        self._done = begin(self.call)
        self.call.on_end = lambda status: self._wake()
        connection.channel.begin(self.call)

    def _take(self, answer: object) -> None:
        self._answers.append(answer)
        self._wake()

    def _wake(self) -> None:
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None:
            greenlet.switch()

    def ask(self, **question: str) -> Any:
        """Return the answer to a question. Raises RPCError."""
        self.call.send(self._request.make(**question).SerializeToString(), end=False)
        while not self._answers:
            status = self.call.status
            if status is not None:
                raise RPCError(status if status.code else Status(INTERNAL, "EOF"))
            self._greenlet = getcurrent()
            get_hub().switch()
        answer = self._answers.pop(0)
        if answer.HasField("error_response"):
            error = answer.error_response
            raise RPCError(Status(error.error_code, error.error_message))
        return answer

    def close(self) -> None:
        """End the call; a sample is taken of one that the server has ended."""
        call = self.call
        call.on_end = lambda status: None
        if call.status is None:
            call.close_send()
            call.is_measured = False
            call.cancel(ABANDONED)
        self._done()


def reflect(
    begin: Callable[[Call], Callable[[], object]], params: ConnectSettings, connection: GrpcConnection
) -> Schema:
    """Return the schema of a server's services, by the server's reflection.

    Args:
        begin: Called with each call; returns the function that is called when the call is over.
        params: The parameters of the connect call: metadata and timeout.
        connection: The connection to the server.

    Raises:
        RPCError: A call has failed.
        SchemaError: An answer is no schema.
    """
    conversation, names = _services(begin, params, connection)
    try:
        files = _Files(conversation)
        for name in names:
            try:
                files.add_symbol(name)
            except RPCError as error:
                text = f"can't get method on service {quote(name)}: {error}"
                raise SchemaError(text) from None
        return Schema(list(files.descriptors.values()))
    finally:
        conversation.close()


def _services(
    begin: Callable[[Call], Callable[[], object]], params: ConnectSettings, connection: GrpcConnection
) -> tuple[_Conversation, list[str]]:
    failure: RPCError | None = None
    for version in _VERSIONS:
        try:
            conversation = _Conversation(version, connection, params, begin)
        except RPCError as error:
            raise SchemaError(f"can't list services: {error}") from None
        try:
            answer = conversation.ask(list_services="*")
        except RPCError as error:
            conversation.close()
            failure = error
            if error.status.code != UNIMPLEMENTED:
                break
        except BaseException:
            conversation.close()
            raise
        else:
            return conversation, [service.name for service in answer.list_services_response.service]
    raise SchemaError(f"can't list services: {failure}")


class _Files:
    """Descriptors that the server has sent, with all that they import."""

    def __init__(self, conversation: _Conversation) -> None:
        self._conversation = conversation
        self.descriptors: dict[str, FileDescriptorProto] = {}

    def add_symbol(self, name: str) -> None:
        """Ask for the file that declares a symbol. Raises RPCError, SchemaError."""
        self._add(self._conversation.ask(file_containing_symbol=name))

    def _add(self, answer: Any) -> None:
        added = []
        for data in answer.file_descriptor_response.file_descriptor_proto:
            try:
                descriptor = FileDescriptorProto.FromString(data)
            except DecodeError:
                raise SchemaError("proto: cannot parse invalid wire-format data") from None
            if descriptor.name not in self.descriptors:
                self.descriptors[descriptor.name] = descriptor
                added.append(descriptor)
        for descriptor in added:
            self._complete(descriptor)

    def _complete(self, descriptor: FileDescriptorProto) -> None:
        """Request the imports of a file. Imports that the server lacks are left out."""
        missing = set()
        for path in descriptor.dependency:
            if path not in self.descriptors:
                try:
                    self._add(self._conversation.ask(file_by_filename=path))
                except RPCError as error:
                    if error.status.code == OK or self._conversation.call.status is not None:
                        raise
                    missing.add(path)
        if missing:
            kept = [path for path in descriptor.dependency if path not in missing]
            del descriptor.dependency[:]
            descriptor.dependency.extend(kept)
            del descriptor.public_dependency[:]
            del descriptor.weak_dependency[:]
