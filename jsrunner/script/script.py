"""The script: resolves and loads its modules and files for the engine.

There is one object per process. The first init (VU 0) reads all modules and files. Later VUs get the
same texts from memory and may not ask for others. Processes that are forked after the first init share
them.
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
#: The folders of NAME.js for the specifier `jsrunner:NAME`, by which only modules of jsrunner import
#: it.
_OWN_FOLDERS = (_PACKAGE / "engine", _PACKAGE / "modules", _PACKAGE / "worker")
_OWN_TEXTS: dict[str, str] = {}

_MISSING_EXPORT = r"Could not find export '([^']*)' in module '([^']*)'"
_POSITION = r"\n(?:\s+|\t)at (?:.*?\()?((?:file|https):.*?):(\d+):(\d+)"


class ScriptBundle:
    """A script with its modules and files.

    Args:
        path: The script's file; `-` for standard input.
        source: The script's text, if it is in no file.
        archive: The archive with the script.
    """

    def __init__(self, path: str, *, source: str | None = None, archive: Archive | None = None) -> None:
        #: The path in error texts.
        self.name = mend_surrogates(str(path))
        if archive is not None:
            self.url, self.path, self.folder = archive.url, url_path(archive.url), archive.folder
        else:
            self.path = Path(os.path.abspath(path))
            self.url = file_url(self.path)
            self.folder = self.path.parent
        #: The options of an archive, which replace those of the script.
        self.archived_options = archive.options if archive else None
        #: The variables of an archive for the script's __ENV.
        self.archived_variables = archive.environment if archive else {}
        #: Gets (level, text) of messages about the loading.
        self.log: Callable[[str, str], None] = lambda level, text: None
        self.sources = Sources(
            archive or Disk(), lambda level, text: self.log(level, mend_surrogates(text))
        )
        if source is not None:
            self.sources.files[self.path] = source.encode()
        self._modules = Modules(self._read, main=self.url, is_stdin=self.path.name == "-")
        self._unreadable: dict[Path, UnreadableFile] = {}
        #: The specifiers that each module imports.
        self._imports: dict[str, list[str]] = {}
        #: The results of `normalize`.
        self._targets: dict[tuple[str, str], str] = {}
        #: The texts that the engine has loaded, by specifier, in order.
        self._loaded: dict[str, str] = {}
        #: The texts of k6's modules by specifier.
        self._builtins: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._executing = False
        #: True if the first init is over, so that nothing new may be read.
        self.sealed = False

    @classmethod
    def at(cls, path: str) -> ScriptBundle:
        """Open a file that is a script, or the archive of a script.

        Raises:
            ArchiveError: The archive cannot be read.
        """
        from jsrunner.script import archive

        return cls(path, archive=archive.read(path) if archive.is_archive(path) else None)

    # -- modules -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Note that an interpreter begins to load the script."""
        self._executing = False

    def executing(self) -> None:
        """Note that all modules have been linked, and that their code runs from now on.

        Raises:
            ScriptError: Some modules are unknown.
        """
        self._executing = True
        self._modules.loaded()
        if self._unknown:
            raise builtins.unknown(self._unknown, self._prefix)

    def resolve(self, base: str, specifier: str) -> str:
        """Return the URL of a specifier in the module `base` (see `specifiers.resolve`)."""
        return specifiers.resolve(base, specifier)

    def normalize(self, base: str, specifier: str) -> str:
        """Return the specifier of the module that the engine has to load for an import.

        Args:
            base: The specifier of the importing module.
            specifier: The specifier of the import.

        Raises:
            ScriptError: The imported module cannot be read.
        """
        target = self._targets.get((base, specifier))
        if target is None:
            if is_builtin(base) or base.startswith("jsrunner:") or specifier in self._own_imports(base):
                target = specifier
            else:
                target = self._target(base, specifier)
            self._targets[base, specifier] = target
            if not self.sealed:
                self._imports.setdefault(base, []).append(target)
        return target

    def _own_imports(self, base: str) -> tuple[str, ...]:
        return self._modules.get(base).own if self._modules.knows(base) else ()

    def _target(self, base: str, specifier: str) -> str:
        """Return the URL of a module, or the specifier of the facade for the module `base`."""
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
        # Asked again, because the module's exports are known now that it has been read.
        return commonjs.facade_of(url, self._modules.imported_names(base, specifier, url))

    def kind(self, url: str, spelled: str) -> str:
        """Return the kind of a module: `builtin`, `commonjs` or `module`.

        Args:
            url: The module's URL.
            spelled: The script's specifier, for error texts.

        Raises:
            ScriptError: The module cannot be read, or is new after the first init.
        """
        if is_builtin(url):
            self._builtin(url)
            return "builtin"
        self._modules.spelled.setdefault(url, spelled)
        if self.sealed and not self._modules.knows(url):
            raise ScriptError(
                f"the module {json.dumps(spelled)} was not previously resolved during initialization "
                "(__VU==0)"
            )
        module = self._modules.get(url)
        if self._executing:  # the call comes from require()
            self._modules.loaded()
        return "commonjs" if module.is_commonjs else "module"

    def load(self, specifier: str) -> str:
        """Return the text of a module for the engine.

        Raises:
            ScriptError: The module cannot be read.
        """
        text = self._text_of(specifier)
        if not self.sealed:
            self._loaded[specifier] = text
        return text

    def modules(self) -> list[tuple[str, str]]:
        """Return (specifier, text) of all loaded modules, each module behind those that it imports."""
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

    def _text_of(self, specifier: str) -> str:
        if specifier.startswith("jsrunner:"):
            return self._own(specifier)
        if is_builtin(specifier):
            return self._builtin(specifier)
        return self._modules.get(specifier).text

    def _own(self, specifier: str) -> str:
        """Return the text of a module of jsrunner's own, or of a generated module."""
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
        facade = commonjs.facade(specifier) or builtins.facade(specifier, self._builtin)
        if facade is not None:
            return facade
        text = _OWN_TEXTS.get(specifier)
        if text is None:
            name = f"{specifier.removeprefix('jsrunner:')}.js"
            path = next(path for folder in _OWN_FOLDERS if (path := folder / name).is_file())
            text = _OWN_TEXTS[specifier] = path.read_text(encoding="utf-8")
        return text

    def _main(self) -> str:
        if self.kind(self.url, self.name) == "commonjs":
            return commonjs.main(self.url)
        return f"export * as script from {json.dumps(self.url)};\n"

    def _builtin(self, specifier: str) -> str:
        text = self._builtins.get(specifier)
        if text is None:
            text = registry.source(specifier) or builtins.replacement(specifier)
            if text is None:
                raise builtins.unknown({specifier})
            self._builtins[specifier] = text
        return text

    @property
    def text(self) -> str:
        """The text of the main script in its file. Raises ScriptError."""
        return self._read(self.url)

    def _read(self, url: str) -> str:
        return self.sources.module(url, self._modules.spelled.get(url, self.name), main=url == self.url)

    # -- files -------------------------------------------------------------------------------------

    def open_file(self, path: str, *, first: bool) -> bytes:
        """Return the contents of a file that the script opens.

        Args:
            path: The file.
            first: True if the init is the first, which alone may open new files.

        Raises:
            UnreadableFile: The file cannot be read, or is new after the first init.
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
        """Return the error of an init that has failed.

        Args:
            text: The JavaScript exception with its stack.
            load_error: The error of loading a module, if it is the reason.
            is_rejection: True if the exception is that of an unhandled promise.
        """
        try:
            return self._failure(text, load_error, is_rejection)
        finally:
            self._modules.loaded()

    def aborted(self, text: str) -> ScriptError:
        """Return the error of an init that has aborted the test.

        Args:
            text: The reason.
        """
        self._modules.loaded()
        return ScriptError(self._prefix + text, exit_code=ExitCode.SCRIPT_ABORTED)

    def _failure(self, text: str, load_error: BaseException | None, is_rejection: bool) -> ScriptError:
        if isinstance(load_error, ScriptError):
            if load_error.exit_code == ExitCode.GENERIC:  # the main script itself cannot be read
                return load_error
            return ScriptError(
                self._prefix + str(load_error), exit_code=load_error.exit_code, hint=load_error.hint
            )
        if load_error is not None:
            raise load_error
        if match := re.search(_MISSING_EXPORT, text):
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
        """Return k6's text of the syntax error in a module.

        Args:
            text: The engine's SyntaxError, with its stack.
        """
        place = re.search(_POSITION, text)
        try:
            explained = self._modules.syntax_error(place[1] if place else None)
        finally:
            if self._executing:
                self._modules.loaded()
        if explained is not None:
            return explained
        message = text.split("\n")[0].removeprefix("SyntaxError: ")
        return f"{place[1]}: Line {place[2]}:{place[3]} {message}" if place else message
