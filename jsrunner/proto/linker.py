"""Linker of .proto files: references get full names, options are set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from jsrunner.proto.checks import check_file, check_json_names
from jsrunner.proto.option_values import apply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FileDescriptorProto,
    )

    from jsrunner.proto.parsed import File, Option, Reference

_TYPES: Final = ("a message", "an enum", "a synthetic map entry")
_MESSAGES: Final = ("a message", "a synthetic map entry")
_SCOPES: Final = (*_MESSAGES, "an enum", "a service", "a package")
_CPP_SCOPE: Final = (
    "; protobuf uses C++ scoping rules for enum values, so they exist in the scope enclosing the enum"
)


class Declared(NamedTuple):
    """A symbol that can be referred to: what it is, and where it was declared."""

    kind: str
    path: str
    #: `file:line:column`.
    place: str


def symbols_of(descriptor: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """Yield (full name, kind) of what a finished descriptor declares."""

    def messages(descriptors: Iterable[DescriptorProto], scope: str) -> Iterator[tuple[str, str]]:
        for message in descriptors:
            full = f"{scope}{message.name}"
            yield full, "a message"
            yield from messages(message.nested_type, f"{full}.")
            yield from enums(message.enum_type, f"{full}.")
            yield from ((f"{full}.{field.name}", "a field") for field in message.field)
            yield from ((f"{full}.{field.name}", "an extension") for field in message.extension)

    def enums(descriptors: Iterable[EnumDescriptorProto], scope: str) -> Iterator[tuple[str, str]]:
        for enum in descriptors:
            yield f"{scope}{enum.name}", "an enum"
            yield from ((f"{scope}{value.name}", "an enum value") for value in enum.value)

    scope = f"{descriptor.package}." if descriptor.package else ""
    yield from messages(descriptor.message_type, scope)
    yield from enums(descriptor.enum_type, scope)
    yield from ((f"{scope}{field.name}", "an extension") for field in descriptor.extension)
    yield from ((f"{scope}{service.name}", "a service") for service in descriptor.service)


class Linker:
    """Links the files of one compilation, each after those that it imports."""

    def __init__(self) -> None:
        self._symbols: dict[str, Declared] = {}
        self._descriptors: dict[str, FileDescriptorProto] = {}

    def add_finished(self, descriptor: FileDescriptorProto) -> None:
        """Take a file that needs no linking."""
        self._descriptors[descriptor.name] = descriptor
        for name, kind in symbols_of(descriptor):
            self._symbols[name] = Declared(kind, descriptor.name, descriptor.name)

    def link(self, file: File) -> None:
        """Complete a file's descriptor. Raises SourceError."""
        check_file(file)
        self._descriptors[file.descriptor.name] = file.descriptor
        self._declare(file)
        scope = _Scope(self._symbols, self._descriptors, file.descriptor)
        for reference in file.references:
            self._resolve(file, scope, reference)
        for option in file.options:
            self._apply(file, scope, option)
        check_json_names(file)

    def _declare(self, file: File) -> None:
        for symbol in file.symbols:
            known = self._symbols.get(symbol.name)
            line, column = file.source.place(symbol.offset)
            if known is not None:
                where = "" if known.path == file.source.path else f' in "{known.path}"'
                more = _CPP_SCOPE if symbol.kind == "an enum value" else ""
                text = f'symbol "{symbol.name}" already defined{where} at {known.place}{more}'
                raise file.source.error(symbol.offset, text)
            place = f"{file.source.path}:{line}:{column}"
            self._symbols[symbol.name] = Declared(symbol.kind, file.source.path, place)

    @staticmethod
    def _resolve(file: File, scope: _Scope, reference: Reference) -> None:
        owner, attribute = reference.owner, reference.attribute
        spelled = getattr(owner, attribute)
        role = {
            "type_name": "type",
            "extendee": "extendee type",
            "input_type": "request type",
            "output_type": "response type",
        }[attribute]
        prefix = f"{reference.label}: " if reference.label else ""
        full, declared = scope.find(spelled, reference.scope)
        if declared is None:
            text = f"{prefix}unknown {role} {spelled}"
            if full not in ("", spelled.lstrip(".")):
                text += f"; resolved to {full} which is not defined; consider using a leading dot"
            raise file.source.error(reference.offset, text)
        is_field = attribute == "type_name"
        if declared.kind not in (_TYPES if is_field else _MESSAGES):
            wanted = "a message or enum" if is_field else "a message"
            called = {"type_name": "invalid type", "extendee": "extendee is invalid"}.get(
                attribute, f"invalid {role}"
            )
            text = f"{prefix}{called}: {full} is {declared.kind}, not {wanted}"
            raise file.source.error(reference.offset, text)
        if is_field:
            assert isinstance(owner, FieldDescriptorProto)
            if declared.kind == "a synthetic map entry":
                text = f"{full} is a synthetic map entry and may not be referenced explicitly"
                raise file.source.error(reference.offset, f"{prefix}{text}")
            is_enum = declared.kind == "an enum"
            owner.type = (
                FieldDescriptorProto.TYPE_ENUM if is_enum else FieldDescriptorProto.TYPE_MESSAGE
            )
        setattr(owner, attribute, f".{full}")

    @staticmethod
    def _apply(file: File, scope: _Scope, option: Option) -> None:
        prefix = f"{option.label}: " if option.label else ""
        for name, is_extension in option.names:
            if not is_extension:
                continue
            full, declared = scope.find(name, option.scope)
            if declared is None:
                raise file.source.error(option.offset, f"{prefix}unknown extension {name}")
            if declared.kind != "an extension":
                text = f"{prefix}invalid extension: {full} is {declared.kind}, not an extension"
                raise file.source.error(option.offset, text)
        apply(file, option, prefix)


class _Scope:
    """The names that one file can refer to."""

    def __init__(
        self,
        symbols: Mapping[str, Declared],
        descriptors: Mapping[str, FileDescriptorProto],
        file: FileDescriptorProto,
    ) -> None:
        self._symbols = symbols
        self._paths = {file.name}
        packages = [file.package]
        for path in _visible(descriptors, file):
            self._paths.add(path)
            packages.append(descriptors[path].package)
        self._packages = {
            ".".join(parts[:count])
            for parts in (package.split(".") for package in packages if package)
            for count in range(1, len(parts) + 1)
        }

    def _get(self, name: str) -> Declared | None:
        declared = self._symbols.get(name)
        if declared is not None and declared.path in self._paths:
            return declared
        return Declared("a package", "", "") if name in self._packages else None

    def find(self, name: str, scope: str) -> tuple[str, Declared | None]:
        """Return what a name means in a scope: its full name ("" for nothing), and its declaration."""
        if name.startswith("."):
            return name[1:], self._get(name[1:])
        first, _, rest = name.partition(".")
        rejected: tuple[str, Declared | None] = ("", None)
        parts = scope.split(".") if scope else []
        for count in range(len(parts), -1, -1):
            prefix = ".".join([*parts[:count], first])
            declared = self._get(prefix)
            if declared is None:
                continue
            if rest:
                if declared.kind in _SCOPES:
                    full = f"{prefix}.{rest}"
                    return full, self._get(full)
            elif declared.kind in _TYPES or declared.kind == "an extension":
                return prefix, declared
            rejected = rejected if rejected[0] else (prefix, declared)
        return rejected if not rest else ("", None)


def _visible(
    descriptors: Mapping[str, FileDescriptorProto], file: FileDescriptorProto
) -> Iterator[str]:
    """Yield the paths of what a file imports, with what those import publicly."""
    waiting = list(file.dependency)
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen or path not in descriptors:
            continue
        seen.add(path)
        yield path
        imported = descriptors[path]
        waiting += [imported.dependency[index] for index in imported.public_dependency]
