"""Sources of the bytes of scripts, modules and opened files: disk, web, or an archive.

All bytes that have been read are kept, so that all VUs get the same and an archive can be made of them.
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

#: k6's text for a module that is no file.
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
#: Errors of the path itself instead of its file.
_NO_PATH: Final = (errno.EINVAL, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP)


class UnreadableFile(ScriptError):
    """A file that a script opens cannot be read.

    Args:
        text: The error's text.
        reason: missing, directory or other.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class Files(Protocol):
    """A container of files: the disk or an archive."""

    def read(self, path: Path) -> bytes:
        """Return the contents of a file; raise OSError as `Path.read_bytes` does."""
        ...

    def page(self, url: str) -> bytes | None:
        """Return the module at an https URL, or None if it has to be fetched."""
        ...


class Disk:
    """The files of this machine."""

    def read(self, path: Path) -> bytes:
        """Return the contents of a file."""
        return path.read_bytes()

    def page(self, url: str) -> bytes | None:
        """Return None: the disk has no modules of web servers."""
        return None


class Sources:
    """All files and modules that a script has read.

    Args:
        files: The container of files.
        log: Gets (level, text) of messages about the reading.
    """

    def __init__(self, files: Files, log: Callable[[str, str], None]) -> None:
        self._files = files
        self._log = log
        #: Contents of files by path.
        self.files: dict[Path, bytes] = {}
        #: Fetched modules by URL.
        self.pages: dict[str, bytes] = {}

    def read(self, path: Path) -> bytes:
        """Return the contents of a file.

        Raises:
            OSError: The file cannot be read.
        """
        data = self.files.get(path)
        if data is None:
            try:
                data = self.files[path] = self._files.read(path)
            except MemoryError:
                raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from None
            except ValueError:  # a NUL character in the path
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
            self._log("debug", f"Read {path}: {len(data)} bytes")
        return data

    def opened(self, path: Path) -> bytes:
        """Return the contents of a file that a script opens.

        Raises:
            UnreadableFile: The file cannot be read. The text is k6's.
        """
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
        """Return the text of a module.

        Args:
            url: The module's URL.
            spelled: The script's specifier, for error texts.
            main: True if the module is the main script.

        Raises:
            ScriptError: The module cannot be read. The text is k6's.
        """
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
        data = self.pages.get(url) or self._files.page(url)
        if data is None:
            from jsrunner.script.remote import FetchError, fetch

            try:
                data = self.pages[url] = fetch(url, partial(self._log, "warning"))
                self._log("debug", f"Read {url}: {len(data)} bytes")
            except FetchError as error:
                raise ScriptError(_NOT_FETCHED.format(spelled, url, error)) from None
        return data
