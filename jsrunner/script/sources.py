"""Where the bytes of scripts, modules and opened files come from: disk, web, or an archive.

What was read is kept: every VU gets the same, and it can be packed into an archive.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from jsrunner.errors import ExitCode, ScriptError
from jsrunner.script.specifiers import url_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOT_ON_DISK: Final = (
    "The moduleSpecifier \"{}\" couldn't be found on local disk. Make sure that you've specified "
    "the right path to the file. If you're running k6 using the Docker image make sure you have "
    "mounted the local directory (-v /local/path/:/inside/docker/path) containing your script and "
    "modules so that they're accessible by k6 from inside of the container, see "
    "https://grafana.com/docs/k6/latest/using-k6/modules/#use-modules-with-docker."
)
_NOT_FETCHED: Final = (
    'The moduleSpecifier "{}" couldn\'t be retrieved from the resolved url "{}". Error : "{}"'
)
#: What is wrong with the path itself, and not with the file that it leads to.
_NO_PATH: Final = (errno.EINVAL, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP)


class UnreadableFile(ScriptError):
    """A file that a script asks for cannot be had: `reason` is missing, directory or other."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class Files(Protocol):
    """Where files are read from. Raises OSError as `Path.read_bytes` does."""

    def read(self, path: Path) -> bytes: ...

    def page(self, url: str) -> bytes | None:
        """The module at an https URL; None: it is to be fetched."""
        ...


class Disk:
    """The files of this machine."""

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def page(self, url: str) -> bytes | None:
        return None


class Sources:
    """Everything that a script has read, by the place it came from."""

    def __init__(self, files: Files, log: Callable[[str, str], None]) -> None:
        """`log(level, text)` gets what the user should know of the reading."""
        self._files = files
        self._log = log
        #: Files by their path, pages by their URL.
        self.files: dict[Path, bytes] = {}
        self.pages: dict[str, bytes] = {}

    def read(self, path: Path) -> bytes:
        """The content of a file. Raises OSError."""
        found = self.files.get(path)
        if found is None:
            try:
                found = self.files[path] = self._files.read(path)
            except MemoryError:
                raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from None
            except ValueError:  # a NUL character in the path
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
            self._log("debug", f"Read {path}: {len(found)} bytes")
        return found

    def opened(self, path: Path) -> bytes:
        """The content of a file that a script opens. Raises UnreadableFile."""
        try:
            return self.read(path)
        except IsADirectoryError:
            text = f'open() can\'t be used with directories, path: "{path}"'
            raise UnreadableFile(text, "directory") from None
        except FileNotFoundError:
            text = f"stat {path}: no such file or directory"
            raise UnreadableFile(text, "missing") from None
        except OSError as error:
            step = "stat" if error.errno in _NO_PATH else "open"
            text = f"{step} {path}: {os.strerror(error.errno or 0).lower()}"
            raise UnreadableFile(text, "other") from None

    def module(self, url: str, spelled: str, *, main: bool = False) -> str:
        """The text of a module, which the script calls `spelled`. Raises ScriptError."""
        if url.startswith("https:"):
            data = self._page(url, spelled)
        else:
            data = self._module_file(url_path(url), spelled, main=main)
        return data.decode("utf-8", "replace").removeprefix("\ufeff")

    def _module_file(self, path: Path, spelled: str, *, main: bool) -> bytes:
        try:
            return self.read(path)
        except (FileNotFoundError, NotADirectoryError):
            text = NOT_ON_DISK.format(spelled)
        except IsADirectoryError:
            text = f"read {path}: is a directory"
        except OSError as error:
            text = f"open {path}: {os.strerror(error.errno or 0).lower()}"
        raise ScriptError(text, exit_code=ExitCode.GENERIC if main else None)

    def _page(self, url: str, spelled: str) -> bytes:
        found = self.pages.get(url) or self._files.page(url)
        if found is None:
            from jsrunner.script.remote import FetchError, fetch

            try:
                found = self.pages[url] = fetch(url, partial(self._log, "warning"))
                self._log("debug", f"Read {url}: {len(found)} bytes")
            except FetchError as error:
                raise ScriptError(_NOT_FETCHED.format(spelled, url, error)) from None
        return found
