"""Python half of `k6/experimental/fs`: contents that all VUs share, positions of one VU."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.options.numbers import quote
from jsrunner.script.sources import UnreadableFile

if TYPE_CHECKING:
    from jsrunner.modules.context import ModuleContext


class OpenFile(Struct):
    """A file that a script has opened; VUs share the content, not the position."""

    path: str
    content: bytes
    position: int = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes, at most `size`, and move behind them; nothing at the end."""
        data = self.content[self.position : self.position + size]
        self.position += len(data)
        return data


class FileSystem(HostModule):
    """The operations of `k6/experimental/fs`. A file is known by its handle."""

    specifier = "k6/experimental/fs"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        #: Files by handle. They are opened in the init code only, so they are never closed.
        self.files: list[OpenFile] = []

    @operation
    def open(self, path: str) -> dict[str, object]:
        """Open a file beside the script; return its handle, absolute path, name and size."""
        script = self.vu.process.script
        place = os.path.normpath(script.folder / path.removeprefix("file://"))
        try:
            content = script.open_file(place, first=self.vu.id == 0)
        except UnreadableFile as error:
            if error.reason == "missing":
                raise HostError.named(
                    "NotFoundError", f"no such file or directory {quote(place)}"
                ) from None
            if error.reason == "directory":
                raise HostError.named(
                    "InvalidResourceError",
                    f"cannot open {quote(place)}: opening a directory is not supported",
                ) from None
            text = str(error)
            if text.startswith("stat "):
                text = f"open() failed, unable to verify if {quote(place)} exists; reason: {text}"
            raise HostError(text) from None
        self.files.append(OpenFile(place, content))
        return {
            "handle": len(self.files) - 1,
            "path": place,
            "name": os.path.basename(place),
            "size": len(content),
        }

    @operation
    def read(self, handle: int, size: int) -> object:
        """Return the next bytes, at most `size`; None at the end."""
        file = self.files[handle]
        if file.position >= len(file.content):
            return None
        return file.take(size)

    @operation
    def seek(self, handle: int, distance: int, whence: int) -> int:
        """Move the position from the start (0), the position (1) or the last byte (2); return it."""
        file = self.files[handle]
        if whence == 0 and distance < 0:
            raise _refused("offset cannot be negative when using SeekModeStart")
        if whence == 2 and distance > 0:
            raise _refused("offset cannot be positive when using SeekModeEnd")
        position = (0, file.position, len(file.content) - 1)[whence] + distance
        if position < 0:
            raise _refused("seeking before start of file")
        if position > len(file.content):
            raise _refused("seeking beyond end of file")
        file.position = position
        return position


def _refused(reason: str) -> HostError:
    return HostError.named("TypeError", reason)
