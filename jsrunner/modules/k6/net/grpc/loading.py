"""Files of `load` and `loadProtoset`, read as `open()` reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jsrunner.engine.errors import HostError
from jsrunner.options.numbers import quote
from jsrunner.proto.compiler import Compiler, Missing, parse_protoset
from jsrunner.proto.errors import SchemaError
from jsrunner.proto.schema import Schema

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext


def load(vu: ModuleContext, paths: list[str], files: list[str]) -> Schema:
    """Return what .proto files describe, with all that they import. Raises SchemaError."""
    folders = [path.removeprefix("file://") for path in paths] or ["."]

    def read(name: str) -> str:
        failure = ""
        for folder in folders:
            try:
                return _content(vu, os.path.normpath(f"{folder or '.'}/{name}")).decode(
                    "utf-8", "replace"
                )
            except HostError as error:
                failure = str(error)
        raise Missing(failure)

    try:
        return Schema(Compiler(read).compile(files))
    except Missing as error:
        raise SchemaError(str(error)) from None


def load_protoset(vu: ModuleContext, path: str) -> Schema:
    """Return what a serialized FileDescriptorSet describes. Raises SchemaError."""
    try:
        data = _content(vu, path)
    except HostError as error:
        raise SchemaError(f"couldn't open protoset: {error}") from None
    try:
        descriptors = parse_protoset(data)
    except SchemaError as error:
        raise SchemaError(f"couldn't unmarshal protoset file {path}: {error}") from None
    return Schema(descriptors)


def _content(vu: ModuleContext, path: str) -> bytes:
    """Return a file's content; a folder has none, as in k6. Raises HostError."""
    try:
        return vu.open_file(path)
    except HostError as error:
        text = str(error)
        if "with directories" in text:
            return b""
        if "weren't previously opened" in text:
            text = f"could not resolve path {quote(path)}: path never requested before"
        raise HostError(text) from None
