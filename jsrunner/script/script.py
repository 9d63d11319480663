"""The script and its modules: what a specifier means, and the text behind it.

One object per process. The first init (VU 0) loads every module and file there is; later VUs get
the same texts from memory, and may ask for nothing new. Processes forked after the first init share
all of it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from jsrunner.errors import ExitCode, ScriptError
from jsrunner.modules import registry

_PACKAGE = Path(__file__).parent.parent
#: Where `jsrunner:NAME`, a module that our own modules import, may lie as NAME.js.
_OWN_FOLDERS = (_PACKAGE / "engine", _PACKAGE / "modules", _PACKAGE / "worker")
_OWN_TEXTS: dict[str, str] = {}

_MISSING_EXPORT = re.compile(r"Could not find export '([^']*)' in module '([^']*)'")
_POSITION = re.compile(r"\n(?:\s+|\t)at (?:.*?\()?((?:file|https):.*?):(\d+):(\d+)")

NOT_ON_DISK = (
    "The moduleSpecifier \"{}\" couldn't be found on local disk. Make sure that you've specified "
    "the right path to the file. If you're running k6 using the Docker image make sure you have "
    "mounted the local directory (-v /local/path/:/inside/docker/path) containing your script and "
    "modules so that they're accessible by k6 from inside of the container, see "
    "https://grafana.com/docs/k6/latest/using-k6/modules/#use-modules-with-docker."
)


class MissingExport(ScriptError):
    """The script imports a name that a k6 module does not have: it is to be loaded once more."""


class UnreadableFile(ScriptError):
    """A file that a script asks for cannot be had: `reason` is missing, directory or other."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class Script:
    """A script by its path (or, from standard input, its text and the current folder)."""

    def __init__(self, path: str, *, source: str | None = None) -> None:
        self.path = Path(os.path.abspath(path)) if source is None else Path.cwd() / "-"
        self.name = str(path)
        self.url = file_url(self.path)
        self.folder = self.path.parent
        self._sources: dict[str, str] = {}
        if source is not None:
            self._sources[self.url] = source
        #: How the script itself spells the module that became this specifier; for error texts.
        self._spelled: dict[str, str] = {}
        self._files: dict[Path, bytes | UnreadableFile] = {}
        #: Which modules each module imports, and those that were loaded at all, in that order.
        self._imports: dict[str, list[str]] = {}
        self._loaded: dict[str, str] = {}
        #: Names that scripts import from k6's modules although these have no such export.
        self._stubs: dict[str, set[str]] = {}
        self._executing = False
        #: After the first init nothing new is read.
        self.sealed = False

    # -- modules -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """An interpreter is about to load the script."""
        self._executing = False

    def executing(self) -> None:
        """All modules were found and linked; their code runs from now on."""
        self._executing = True

    def normalize(self, base: str, specifier: str) -> str:
        """What `specifier` means in the module `base`. Raises ScriptError."""
        if base == "k6" or base.startswith(("jsrunner:", "k6/")):
            resolved = specifier
        else:
            resolved = self._resolve(base, specifier)
            self._spelled[resolved] = specifier
        if not self.sealed:
            self._imports.setdefault(base, []).append(resolved)
        return resolved

    def _resolve(self, base: str, specifier: str) -> str:
        if specifier == "k6" or specifier.startswith("k6/"):
            return specifier
        if not specifier:
            raise ScriptError("local or remote path required")
        if specifier.startswith(("./", "../", "/")):
            if base.startswith("https:"):
                raise ScriptError(NOT_ON_DISK.format(specifier))
            folder = url_path(base).parent
            return file_url(Path(os.path.normpath(folder / specifier)))
        scheme = urlsplit(specifier).scheme
        if scheme == "file":
            return file_url(url_path(specifier))
        if "://" in specifier:
            raise ScriptError(
                f"only supported schemes for imports are file and https, {specifier} has `{scheme}`"
            )
        raise ScriptError(
            f'The moduleSpecifier "{specifier}" couldn\'t be recognised as something k6 supports.'
        )

    def load(self, specifier: str) -> str:
        """The text of a module. Raises ScriptError."""
        found = self._find(specifier)
        if not self.sealed:
            self._loaded[specifier] = found
        return found

    def modules(self) -> list[tuple[str, str]]:
        """(specifier, text) of all modules that were loaded, each behind the ones that it imports."""
        ordered: dict[str, str] = {}
        entered: set[str] = set()

        def visit(specifier: str) -> None:
            if specifier in entered or specifier not in self._loaded:
                return
            entered.add(specifier)
            for other in self._imports.get(specifier, ()):
                visit(other)
            ordered[specifier] = self._loaded[specifier]

        for specifier in self._loaded:
            visit(specifier)
        return list(ordered.items())

    def _find(self, specifier: str) -> str:
        if specifier.startswith("jsrunner:"):
            return self._load_own(specifier)
        found = self._sources.get(specifier)
        if found is None:
            if specifier == "k6" or specifier.startswith("k6/"):
                found = self._load_builtin(specifier)
            elif self.sealed:
                raise ScriptError(
                    f'the module "{specifier}" was not previously resolved during initialization '
                    "(__VU==0)"
                )
            else:
                found = self._read(specifier)
            self._sources[specifier] = found
        return found

    def _load_own(self, specifier: str) -> str:
        if specifier == "jsrunner:started":
            return "import { host } from 'jsrunner:host'; host('vu.started');"
        if specifier == "jsrunner:script":
            return f"import 'jsrunner:started';\nexport * as script from '{self.url}';\n"
        found = _OWN_TEXTS.get(specifier)
        if found is None:
            name = f"{specifier.removeprefix('jsrunner:')}.js"
            path = next(one for folder in _OWN_FOLDERS if (one := folder / name).is_file())
            found = _OWN_TEXTS[specifier] = path.read_text(encoding="utf-8")
        return found

    def _load_builtin(self, specifier: str) -> str:
        found = registry.source(specifier)
        if found is None:
            raise ScriptError(
                f'unknown modules ["{specifier}"] were tried to be loaded, but couldn\'t - this '
                "likely means automatic extension resolution is required or a custom k6 binary "
                "with the required extensions"
            )
        # k6 gives null for a name that a module without default export lacks, else undefined.
        nothing = "undefined" if "export default" in found else "null"
        names = ", ".join(f"$absent as {name}" for name in sorted(self._stubs.get(specifier, ())))
        return f"{found}\nconst $absent = {nothing};\nexport {{ {names} }};" if names else found

    def _read(self, specifier: str) -> str:
        path, main = url_path(specifier), specifier == self.url
        try:
            return path.read_text(encoding="utf-8", errors="replace").removeprefix("\ufeff")
        except (FileNotFoundError, NotADirectoryError):
            text = NOT_ON_DISK.format(self.name if main else self._spelled.get(specifier, self.name))
        except IsADirectoryError:
            text = f"reading {path}: is a directory"
        except OSError as error:
            text = f"open {path}: {os.strerror(error.errno or 0).lower()}"
        raise ScriptError(text, exit_code=ExitCode.GENERIC if main else None)

    # -- files -------------------------------------------------------------------------------------

    def open_file(self, path: str, *, first: bool) -> bytes:
        """The content of a file, which only the first init may ask for first.

        Raises UnreadableFile.
        """
        place = Path(os.path.normpath(self.folder / path))
        found = self._files.get(place)
        if found is None:
            if not first:
                raise UnreadableFile(
                    "open() can't be used with files that weren't previously opened during "
                    f'initialization (__VU==0), path: "{place}"',
                    "other",
                )
            found = self._files[place] = _read_file(place)
        if isinstance(found, UnreadableFile):
            raise UnreadableFile(str(found), found.reason)
        return found

    # -- failures ----------------------------------------------------------------------------------

    def failure(
        self, text: str, load_error: BaseException | None, *, aborted: bool = False
    ) -> ScriptError:
        """The error to report when the init code failed with the JavaScript exception `text`."""
        prefix = f"could not initialize '{self.name}': could not load JS test '{self.url}': "
        if aborted:
            return ScriptError(prefix + text, exit_code=ExitCode.SCRIPT_ABORTED)
        if isinstance(load_error, ScriptError):
            return load_error
        if load_error is not None:
            raise load_error
        if match := _MISSING_EXPORT.search(text):
            name, module = match[1], match[2]
            if module == "k6" or module.startswith("k6/"):
                self._stubs.setdefault(module, set()).add(name)
                self._sources.pop(module, None)
                return MissingExport(text)
            spelled = self._spelled.get(module, module)
            return ScriptError(
                f'SyntaxError: The requested module "{spelled}" does not provide an export '
                f'named "{name}"'
            )
        if not self._executing:
            place = _POSITION.search(text)
            message = text.split("\n")[0].removeprefix("SyntaxError: ")
            where = f"{place[1]}: Line {place[2]}:{place[3]} " if place else ""
            return ScriptError(f"{prefix}{where}{message}")
        # A rejected promise is no exception to k6.
        rejected = text.startswith("Uncaught (in promise)")
        return ScriptError(text, exit_code=ExitCode.GENERIC if rejected else None)


def _read_file(place: Path) -> bytes | UnreadableFile:
    try:
        return place.read_bytes()
    except IsADirectoryError:
        text = f'open() can\'t be used with directories, path: "{place}"'
        return UnreadableFile(text, "directory")
    except FileNotFoundError:
        return UnreadableFile(f"stat {place}: no such file or directory", "missing")
    except OSError as error:
        return UnreadableFile(f"open {place}: {os.strerror(error.errno or 0).lower()}", "other")


def file_url(path: Path) -> str:
    return "file://" + quote(str(path), safe="/!$&'()*+,;=:@~")


def url_path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
