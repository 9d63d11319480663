"""Reader and writer of archives: a script with all files that it needs, in the format of `k6 archive`.

An archive is a tar file with `metadata.json` (options, environment, URLs of the script and its folder),
`data` (the script) and the trees `file/` and `https/`. User names in paths of home folders become
`nobody`. See https://grafana.com/docs/k6/latest/reference/archive/.
"""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path
from posixpath import normpath
from typing import IO, TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote

import msgspec
from msgspec import Struct, field

from jsrunner.errors import JsrunnerError
from jsrunner.script.specifiers import url_path
from jsrunner.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsrunner.script.sources import Sources

_HOME: Final = r"(?i)^(/[a-z])?/(users|home|documents and settings)/[^/]+"
_STDIN: Final = "file:///-"
_BLOCK: Final = 512
_MAGIC: Final = b"ustar"
_MAGIC_AT: Final = 257


class ArchiveError(JsrunnerError):
    """A file cannot be read, or is no archive of a script."""


class _Metadata(msgspec.Struct):
    """The fields of `metadata.json` that jsrunner reads."""

    filename: str
    type: str = ""
    pwd: str = "file:///"
    options: dict[str, Any] | None = None
    env: dict[str, str] | None = None


class Archive(Struct):
    """The contents of an archive. It is one of the `Files` that `Sources` reads."""

    #: The script's URL.
    url: str
    #: The folder to which relative paths refer.
    folder: Path
    #: The script.
    data: bytes
    #: The options as JSON, which replace those that the script exports.
    options: dict[str, Any]
    #: The variables for the script's __ENV.
    environment: dict[str, str]
    #: The files by path.
    files: dict[str, bytes] = field(default_factory=dict)
    #: The downloaded modules by `/host/path?query`.
    pages: dict[str, bytes] = field(default_factory=dict)

    def read(self, path: Path) -> bytes:
        """Return the contents of a file.

        Raises:
            OSError: There is no such file.
        """
        name = anonymous(str(path))
        data = self.files.get(name)
        if data is None:
            if any(file.startswith(f"{name}/") for file in self.files):
                raise IsADirectoryError(name)
            raise FileNotFoundError(name)
        return data

    def page(self, url: str) -> bytes | None:
        """Return the module at an https URL, or None if the archive does not have it."""
        return self.pages.get(_page_name(url))


def anonymous(path: str) -> str:
    """Return a path as archives have it: the user's name in a home folder becomes `nobody`."""
    return re.sub(_HOME, lambda match: f"{match[1] or ''}/{match[2]}/nobody", normpath(path))


def _page_name(url: str) -> str:
    """Return the name of a downloaded module: `/host/path?query`."""
    return unquote(normpath(url.removeprefix("https:/")))


def is_archive(path: str) -> bool:
    """Return True if a file begins as a tar file does. A file that cannot be read does not."""
    try:
        with open(path, "rb") as file:
            return file.read(_BLOCK)[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC
    except OSError:
        return False


def read(path: str) -> Archive:
    """Read an archive.

    Args:
        path: The file.

    Raises:
        ArchiveError: The file cannot be read, or is no archive of a script.
    """
    try:
        members = _members(path)
        metadata = _metadata(_member(members, "metadata.json"))
        data = _member(members, "data")
    except OSError as error:
        raise ArchiveError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise ArchiveError(f"{path} is no archive of a script: {error}") from None
    folder = url_path(metadata.pwd)
    archive = Archive(
        url=metadata.filename,
        folder=folder,
        data=data,
        options={key: value for key, value in (metadata.options or {}).items() if value is not None},
        environment=metadata.env or {},
    )
    for name, content in members.items():
        tree, slash, rest = normpath(name).partition("/")
        if tree == "file":
            archive.files[anonymous(slash + rest)] = content
        elif tree == "https":
            archive.pages[slash + rest] = content
    if archive.url == _STDIN:
        archive.url = (folder / "-").as_uri()
    archive.files[anonymous(str(url_path(archive.url)))] = data
    return archive


def _metadata(data: bytes) -> _Metadata:
    """Parse `metadata.json`; raise ValueError if it is wrong."""
    try:
        metadata = msgspec.json.decode(data, type=_Metadata)
        if metadata.type != "js":
            raise ValueError(f"the type is '{metadata.type}', not 'js'")
        for url in (metadata.filename, metadata.pwd):
            if not url.startswith(("file://", "https://")):
                raise ValueError(f"'{url}' is no URL of a file")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"metadata.json: {error}") from None
    return metadata


def _members(path: str) -> dict[str, bytes]:
    """Return the files in a tar file by name; raise OSError or ValueError if it cannot be read."""
    import tarfile

    try:
        with tarfile.open(path, "r:") as tar:
            return {
                member.name: file.read()
                for member in tar
                if member.isfile() and (file := tar.extractfile(member)) is not None
            }
    except (tarfile.TarError, KeyError) as error:  # KeyError: a link to nothing
        raise ValueError(str(error)) from None


def _member(members: Mapping[str, bytes], name: str) -> bytes:
    if name not in members:
        raise ValueError(f"it has no {name}")
    return members[name]


class Archivable(Protocol):
    """The part of `script.script.ScriptBundle` that `write` needs."""

    @property
    def name(self) -> str:
        """The script's path as the user wrote it; `-` for standard input."""
        ...

    @property
    def path(self) -> Path:
        """The script's absolute path."""
        ...

    @property
    def folder(self) -> Path:
        """The folder to which relative paths refer."""
        ...

    @property
    def sources(self) -> Sources:
        """All files and modules that the script has read."""
        ...


def write(
    script: Archivable, options: Mapping[str, object], environment: Mapping[str, str], out: IO[bytes]
) -> None:
    """Write the archive of a script whose init code has run.

    Args:
        script: The script.
        options: The options as JSON.
        environment: The variables for the script's __ENV.
        out: The file to write to; it need not be seekable.
    """
    import tarfile

    is_stdin = script.name == "-"
    main = "/-" if is_stdin else anonymous(str(script.path))
    metadata = {
        "type": "js",
        "options": options,
        "filename": _STDIN if is_stdin else f"file://{main}",
        "pwd": f"file://{anonymous(str(script.folder))}/",
        "env": dict(environment),
        "compatibilityMode": "extended",
        "k6version": f"jsrunner {__version__}",
        "goos": "linux",
    }
    sources = script.sources
    data = sources.files[script.path]
    files = {
        f"file{anonymous(str(path))}": content
        for path, content in sources.files.items()
        if path != script.path
    }
    files |= {f"https{_page_name(url)}": content for url, content in sources.pages.items()}
    now = int(time.time())
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:

        def add(name: str, content: bytes | None, *, kind: bytes = tarfile.REGTYPE) -> None:
            member = tarfile.TarInfo(name)
            member.mtime, member.type = now, kind
            member.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
            member.size = len(content or b"")
            if kind == tarfile.LNKTYPE:
                member.linkname = "data"
            tar.addfile(member, io.BytesIO(content) if content is not None else None)

        add("metadata.json", json.dumps(metadata, indent=2, ensure_ascii=False).encode())
        add("data", data)
        names = sorted([*files, f"file{main}"])
        folders = {str(parent) for name in names for parent in Path(name).parents if str(parent) != "."}
        for folder in sorted(folders):
            add(folder, None, kind=tarfile.DIRTYPE)
        for name in names:
            if name == f"file{main}":
                add(name, None, kind=tarfile.LNKTYPE)
            else:
                add(name, files[name])
