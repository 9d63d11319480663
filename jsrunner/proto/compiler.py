"""Compile .proto files and protosets into pools of descriptors.

docs/guides/grpc.md has the reason why jsrunner does not use protoc, which is part of grpcio-tools.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from jsrunner.proto.errors import SchemaError
from jsrunner.proto.linker import Linker
from jsrunner.proto.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from google.protobuf.descriptor import FileDescriptor

    from jsrunner.proto.parsed import File

_BUILT_IN: Final = "google/protobuf/"
_MODULES: Final = frozenset(
    (
        "any", "api", "descriptor", "duration", "empty", "field_mask", "source_context", "struct",
        "timestamp", "type", "wrappers",
    )
)  # fmt: skip


class Missing(Exception):
    """A file cannot be read; the text is Go's."""


class Compiler:
    """Compiles files; made for one call of `load`.

    Args:
        read: returns the content of a file by its path in the import paths. Raises Missing.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self._files: dict[str, File | FileDescriptorProto] = {}
        #: Paths whose imports are being read, outermost first.
        self._open: list[str] = []
        self._order: list[str] = []

    def compile(self, paths: Iterable[str]) -> list[FileDescriptorProto]:
        """Return the descriptors of files and of all that they import, each after its imports.

        Raises:
            SchemaError
            Missing: a file of `paths` cannot be read.
        """
        for path in paths:
            if not path:
                raise SchemaError("proto: file path must be populated")
            self._load(path)
        linker = Linker()
        descriptors = []
        for path in self._order:
            file = self._files[path]
            if isinstance(file, FileDescriptorProto):
                linker.add_finished(file)
                descriptors.append(file)
            else:
                linker.link(file)
                descriptors.append(file.descriptor)
        return descriptors

    def _load(self, path: str) -> None:
        if path in self._files:
            return
        try:
            file: File | FileDescriptorProto = parse(path, self._read(path))
        except Missing:
            built_in = _built_in(path)
            if built_in is None:
                raise
            file = built_in
        self._files[path] = file
        self._open.append(path)
        if isinstance(file, FileDescriptorProto):
            for dependency in file.dependency:
                self._load(dependency)
        else:
            self._load_imports(file)
        self._open.pop()
        self._order.append(path)

    def _load_imports(self, file: File) -> None:
        for path, offset, _ in file.imports:
            if path in self._open:
                # Go's compiler reports the cycle where it is closed, from there to there.
                cycle = self._open[self._open.index(path) :]
                names = " -> ".join(f'"{name}"' for name in [file.source.path, *cycle])
                raise file.source.error(offset, f"cycle found in imports: {names}")
            try:
                self._load(path)
            except Missing as error:
                raise file.source.error(offset, str(error)) from None


def _built_in(path: str) -> FileDescriptorProto | None:
    """Return the descriptor of one of Google's own files, None for others."""
    name = path.removeprefix(_BUILT_IN).removesuffix(".proto")
    if path != f"{_BUILT_IN}{name}.proto" or name not in _MODULES:
        return None
    module = importlib.import_module(f"google.protobuf.{name}_pb2")
    descriptor = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(descriptor)
    return descriptor


def parse_protoset(data: bytes) -> list[FileDescriptorProto]:
    """Return the descriptors of a serialized FileDescriptorSet. Raises SchemaError."""
    try:
        return list(FileDescriptorSet.FromString(data).file)
    except DecodeError:
        raise SchemaError("proto: cannot parse invalid wire-format data") from None


def build_pool(
    descriptors: Sequence[FileDescriptorProto],
) -> tuple[DescriptorPool, list[FileDescriptor]]:
    """Return a pool of these files and their descriptors in it, in any order. Raises SchemaError."""
    pool = DescriptorPool()
    by_name: dict[str, FileDescriptorProto] = {}
    for descriptor in descriptors:
        if descriptor.name in by_name:
            raise SchemaError(f'proto: file appears multiple times: "{descriptor.name}"')
        by_name[descriptor.name] = descriptor
    done: dict[str, FileDescriptor] = {}

    def add(descriptor: FileDescriptorProto, open_: tuple[str, ...]) -> None:
        if descriptor.name in done:
            return
        if descriptor.name in open_:
            raise SchemaError(f'proto: import cycle in file: "{descriptor.name}"')
        for path in descriptor.dependency:
            if path not in by_name:
                raise SchemaError(f'proto: could not resolve import "{path}": not found')
            add(by_name[path], (*open_, descriptor.name))
        try:
            pool.AddSerializedFile(descriptor.SerializeToString())
        except TypeError as error:
            raise SchemaError(f"proto: {error}") from None
        done[descriptor.name] = pool.FindFileByName(descriptor.name)

    for descriptor in descriptors:
        add(descriptor, ())
    return pool, list(done.values())
