"""Python half of `k6/experimental/fs`: contents that all VUs share, positions of one VU."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jsrunner.engine.interpreter import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.script.sources import UnreadableFile

if TYPE_CHECKING:
    from jsrunner.worker.vu import VU


@dataclass(slots=True)
class OpenFile:
    path: str
    content: bytes
    position: int = 0


class FileSystem(HostModule):
    specifier = "k6/experimental/fs"

    def __init__(self, vu: VU) -> None:
        super().__init__(vu)
        #: By handle. They are opened in the init code only, so none is ever let go.
        self.files: list[OpenFile] = []

    @operation
    def open(self, path: str) -> tuple[int, str, str, int]:
        """(handle, absolute path, name, size) of a file beside the script."""
        script = self.vu.process.script
        place = os.path.normpath(script.folder / path.removeprefix("file://"))
        try:
            content = script.open_file(place, first=self.vu.id == 0)
        except UnreadableFile as error:
            if error.reason == "missing":
                raise HostError.named("NotFoundError", f'no such file or directory "{place}"') from None
            if error.reason == "directory":
                raise HostError.named(
                    "InvalidResourceError", f'cannot open "{place}": it is a directory'
                ) from None
            raise HostError.named("Error", str(error)) from None
        self.files.append(OpenFile(place, content))
        return len(self.files) - 1, place, os.path.basename(place), len(content)

    @operation
    def read(self, handle: int, size: int) -> object:
        """The next bytes, at most `size`; None at the end."""
        file = self.files[handle]
        if file.position >= len(file.content):
            return None
        data = file.content[file.position : file.position + size]
        file.position += len(data)
        return self.vu.interpreter.put_buffer(data)

    @operation
    def seek(self, handle: int, distance: int, whence: int) -> int | None:
        """The new position, counted from the start (0), from here (1) or from the end (2).

        None, and nothing has changed, if that is outside of the file.
        """
        file = self.files[handle]
        position = (0, file.position, len(file.content))[whence] + distance
        if not 0 <= position <= len(file.content):
            return None
        file.position = position
        return position
