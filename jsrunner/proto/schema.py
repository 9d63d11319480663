"""Schemas that scripts load: methods and message types by their full names."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from jsrunner.proto.compiler import build_pool
from jsrunner.proto.errors import MappingError
from jsrunner.proto.messages import message_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from jsrunner.proto.messages import MessageType

_NOT_FOUND: Final = '"not found"'


class Method:
    """A method of a service."""

    def __init__(self, package: str, service: ServiceDescriptor, descriptor: MethodDescriptor) -> None:
        self.package = package
        self.service: str = service.name
        self.name: str = descriptor.name
        #: `/package.Service/Method`.
        self.path = f"/{service.full_name}/{descriptor.name}"
        self.client_streams: bool = descriptor.client_streaming
        self.server_streams: bool = descriptor.server_streaming
        self._descriptor = descriptor

    @functools.cached_property
    def request(self) -> MessageType:
        """The message type of the method's requests."""
        return message_type(self._descriptor.input_type)

    @functools.cached_property
    def response(self) -> MessageType:
        """The message type of the method's responses."""
        return message_type(self._descriptor.output_type)


class Schema:
    """The files of a call of `client.load`. Immutable; shared by all VUs of a process."""

    def __init__(self, descriptors: Sequence[FileDescriptorProto]) -> None:
        """Link the files. Raises SchemaError for descriptors that do not fit together."""
        #: Keeps the descriptors alive.
        self._pool, files = build_pool(descriptors)
        self.methods = {
            method.path: method
            for file in files
            for service in file.services_by_name.values()
            for method in (Method(file.package, service, descriptor) for descriptor in service.methods)
        }
        self.messages = {
            message.full_name: message
            for file in files
            for message in _with_nested(file.message_types_by_name.values())
        }


def _with_nested(messages: Iterable[Descriptor]) -> Iterator[Descriptor]:
    for message in messages:
        yield message
        yield from _with_nested(message.nested_types)


class Library:
    """All schemas that a client has loaded."""

    def __init__(self) -> None:
        self._schemas: list[Schema] = []

    def add(self, schema: Schema) -> None:
        """Add a schema. Its methods replace earlier ones of the same names; its types do not."""
        if schema not in self._schemas:
            self._schemas.append(schema)

    def method(self, path: str) -> Method | None:
        """Return the method of a path that begins with `/`."""
        for schema in reversed(self._schemas):
            method = schema.methods.get(path)
            if method is not None:
                return method
        return None

    def by_url(self, url: str) -> MessageType:
        """Return the message type that an Any names. Raises MappingError with Go's text."""
        name = url.rpartition("/")[2]
        for schema in self._schemas:
            descriptor = schema.messages.get(name)
            if descriptor is not None:
                return message_type(descriptor)
        raise MappingError(_NOT_FOUND)
