"""The script and its modules: what a specifier means, and the text behind it.

One object per process. The first init (VU 0) loads every module and file there is; later VUs get
the same texts from memory, and may ask for nothing new. Processes forked after the first init share
all of it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from jsrunner.errors import SCRIPT_EXCEPTION, ExitCode, ScriptError
from jsrunner.modules import registry
from jsrunner.script import builtins, commonjs, specifiers
from jsrunner.script.modules import META, POSITIONS, Modules
from jsrunner.script.sources import Disk, Sources, UnreadableFile
from jsrunner.script.specifiers import file_url, is_builtin, url_path
from jsrunner.text import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsrunner.script.archive import Archive

_PACKAGE = Path(__file__).parent.parent
#: Where `jsrunner:NAME`, a module that our own modules import, may lie as NAME.js.
_OWN_FOLDERS = (_PACKAGE / "engine", _PACKAGE / "modules", _PACKAGE / "worker")
_OWN_TEXTS: dict[str, str] = {}

_MISSING_EXPORT = re.compile(r"Could not find export '([^']*)' in module '([^']*)'")
_POSITION = re.compile(r"\n(?:\s+|\t)at (?:.*?\()?((?:file|https):.*?):(\d+):(\d+)")


class Script:
    """A script by its path; `source` is its text if that is in no file (`-` is standard input)."""

    def __init__(self, path: str, *, source: str | None = None, archive: Archive | None = None) -> None:
        #: The path as errors show it.
        self.name = mend_surrogates(str(path))
        if archive is not None:
            self.url, self.path, self.folder = archive.url, url_path(archive.url), archive.folder
        else:
            self.path = Path(os.path.abspath(path))
            self.url = file_url(self.path)
            self.folder = self.path.parent
        #: An archive has options in place of the script's, and variables.
        self.archived_options = archive.options if archive else None
        self.archived_variables = archive.environment if archive else {}
        #: Called with (level, text) of what the user should know of the loading, but what is no error.
        self.log: Callable[[str, str], None] = lambda level, text: None
        self.sources = Sources(
            archive or Disk(), lambda level, text: self.log(level, mend_surrogates(text))
        )
        if source is not None:
            self.sources.files[self.path] = source.encode()
        self._modules = Modules(self._read, main=self.url, is_stdin=self.path.name == "-")
        self._unreadable: dict[Path, UnreadableFile] = {}
        #: Which modules each module imports, and those that were loaded at all, in that order.
        self._imports: dict[str, list[str]] = {}
        #: What `normalize` has found before.
        self._targets: dict[tuple[str, str], str] = {}
        self._loaded: dict[str, str] = {}
        #: The texts of k6's modules.
        self._builtins: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._executing = False
        #: After the first init nothing new is read.
        self.sealed = False

    @classmethod
    def at(cls, path: str) -> Script:
        """A script, or the one that an archive holds. Raises ArchiveError."""
        from jsrunner.script import archive

        return cls(path, archive=archive.read(path) if archive.is_archive(path) else None)

    # -- modules -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """An interpreter is about to load the script."""
        self._executing = False

    def executing(self) -> None:
        """All modules were found and linked; their code runs from now on. Raises ScriptError."""
        self._executing = True
        self._modules.loaded()
        if self._unknown:
            raise builtins.unknown(self._unknown, self._prefix)

    def resolve(self, base: str, specifier: str) -> str:
        """The URL that `specifier` means in the module `base`. Raises ScriptError."""
        return specifiers.resolve(base, specifier)

    def normalize(self, base: str, specifier: str) -> str:
        """The specifier of what the engine is to load for the import. Raises ScriptError."""
        found = self._targets.get((base, specifier))
        if found is None:
            if is_builtin(base) or base.startswith("jsrunner:") or specifier in self._own_imports(base):
                found = specifier
            else:
                found = self._target(base, specifier)
            self._targets[base, specifier] = found
            if not self.sealed:
                self._imports.setdefault(base, []).append(found)
        return found

    def _own_imports(self, base: str) -> tuple[str, ...]:
        return self._modules.get(base).own if self._modules.knows(base) else ()

    def _target(self, base: str, specifier: str) -> str:
        """A module, or the facade through which `base` sees it."""
        url = self.resolve(base, specifier)
        names = self._modules.imported_names(base, specifier, url)
        if is_builtin(url):
            if registry.source(url) is None and builtins.replacement(url) is None:
                self._unknown.add(url)
                return builtins.stub_of(url, names)
            exports = builtins.exports(self._builtin(url))
            if names == [commonjs.NAMESPACE]:
                return builtins.namespace_of(url) if "default" in exports else url
            absent = [name for name in names if name not in exports]
            return builtins.facade_of(url, absent) if absent else url
        self._modules.spelled.setdefault(url, specifier)
        if self.kind(url, specifier) != "commonjs":
            return url
        # The module's names are seen only now that it is read.
        return commonjs.facade_of(url, self._modules.imported_names(base, specifier, url))

    def kind(self, url: str, spelled: str) -> str:
        """`builtin`, `commonjs` or `module`: what is behind a URL. Raises ScriptError."""
        if is_builtin(url):
            self._builtin(url)
            return "builtin"
        self._modules.spelled.setdefault(url, spelled)
        if self.sealed and not self._modules.knows(url):
            raise ScriptError(
                f"the module {json.dumps(spelled)} was not previously resolved during initialization "
                "(__VU==0)"
            )
        found = self._modules.get(url)
        if self._executing:  # this was a require()
            self._modules.loaded()
        return "commonjs" if found.is_commonjs else "module"

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
            return self._own(specifier)
        if is_builtin(specifier):
            return self._builtin(specifier)
        return self._modules.get(specifier).text

    def _own(self, specifier: str) -> str:
        if specifier == "jsrunner:started":
            return "import { host } from 'jsrunner:host'; host('vu.started');"
        if specifier == "jsrunner:script":
            return "import 'jsrunner:started';\n" + self._main()
        if specifier.startswith(META):
            url = json.dumps(specifier.removeprefix(META))
            return f"import {{ metaOf }} from 'jsrunner:commonjs';\nexport const meta = metaOf({url});"
        if specifier.startswith(POSITIONS):
            url = specifier.removeprefix(POSITIONS)
            mappings = json.dumps(self._modules.get(url).mappings)
            return (
                "import { mapPositions } from 'jsrunner:positions';\n"
                f"mapPositions({json.dumps(url)}, {mappings});"
            )
        made = commonjs.facade(specifier) or builtins.facade(specifier, self._builtin)
        if made is not None:
            return made
        found = _OWN_TEXTS.get(specifier)
        if found is None:
            name = f"{specifier.removeprefix('jsrunner:')}.js"
            path = next(one for folder in _OWN_FOLDERS if (one := folder / name).is_file())
            found = _OWN_TEXTS[specifier] = path.read_text(encoding="utf-8")
        return found

    def _main(self) -> str:
        if self.kind(self.url, self.name) == "commonjs":
            return commonjs.main(self.url)
        return f"export * as script from {json.dumps(self.url)};\n"

    def _builtin(self, specifier: str) -> str:
        found = self._builtins.get(specifier)
        if found is None:
            found = registry.source(specifier) or builtins.replacement(specifier)
            if found is None:
                raise builtins.unknown({specifier})
            self._builtins[specifier] = found
        return found

    @property
    def text(self) -> str:
        """The text of the main script as it was read. Raises ScriptError."""
        return self._read(self.url)

    def _read(self, url: str) -> str:
        return self.sources.module(url, self._modules.spelled.get(url, self.name), main=url == self.url)

    # -- files -------------------------------------------------------------------------------------

    def open_file(self, path: str, *, first: bool) -> bytes:
        """The content of a file, which only the first init may ask for first.

        Raises UnreadableFile.
        """
        place = Path(os.path.normpath(self.folder / path))
        known = self._unreadable.get(place)
        if known is None:
            if not first and place not in self.sources.files:
                raise UnreadableFile(
                    "open() can't be used with files that weren't previously opened during "
                    f'initialization (__VU==0), path: "{place}"',
                    "other",
                )
            try:
                return self.sources.opened(place)
            except UnreadableFile as error:
                known = self._unreadable[place] = error
        raise UnreadableFile(str(known), known.reason)

    # -- failures ----------------------------------------------------------------------------------

    @property
    def _prefix(self) -> str:
        return f"could not initialize '{self.name}': could not load JS test '{self.url}': "

    def failure(
        self, text: str, load_error: BaseException | None, *, is_rejection: bool = False
    ) -> ScriptError:
        """The error to report when the init code failed with the JavaScript exception `text`."""
        try:
            return self._failure(text, load_error, is_rejection)
        finally:
            self._modules.loaded()

    def aborted(self, text: str) -> ScriptError:
        """The error to report when the init code has aborted the test."""
        self._modules.loaded()
        return ScriptError(self._prefix + text, exit_code=ExitCode.SCRIPT_ABORTED)

    def _failure(self, text: str, load_error: BaseException | None, is_rejection: bool) -> ScriptError:
        if isinstance(load_error, ScriptError):
            if load_error.exit_code == ExitCode.GENERIC:  # there is no script at all
                return load_error
            return ScriptError(
                self._prefix + str(load_error), exit_code=load_error.exit_code, hint=load_error.hint
            )
        if load_error is not None:
            raise load_error
        if match := _MISSING_EXPORT.search(text):
            name, module = match[1], match[2]
            spelled = self._modules.spelling(name, module) or module
            return ScriptError(
                f'SyntaxError: The requested module "{spelled}" does not provide an export '
                f'named "{name}"'
            )
        if not self._executing:
            return ScriptError(self._prefix + self.syntax_error(text))
        if is_rejection:
            return ScriptError(self._prefix + text, exit_code=ExitCode.GENERIC)
        return ScriptError(text, hint=SCRIPT_EXCEPTION)

    def syntax_error(self, text: str) -> str:
        """Return k6's text of a module that cannot be parsed.

        Args:
            text: The engine's SyntaxError, with its stack.
        """
        place = _POSITION.search(text)
        try:
            told = self._modules.syntax_error(place[1] if place else None)
        finally:
            if self._executing:
                self._modules.loaded()
        if told is not None:
            return told
        message = text.split("\n")[0].removeprefix("SyntaxError: ")
        return f"{place[1]}: Line {place[2]}:{place[3]} {message}" if place else message
