"""The modules of a script: their kinds, and the texts that the engine gets for them.

The engine has only ES modules, links them strictly, and has its own `import.meta` and `import()`. The
texts for the engine give them k6's rules, without moving any code from its line and column:

- An import from a CommonJS module, or of a name that a module of k6 lacks, goes to a facade.
- `import.meta` and the `import` of a call become names of the same length. Imports behind the last line
  bind these names.
- TypeScript is translated. An import behind the last line registers its positions.
- Built-ins that the engine lacks are defined by an import behind the last line (see language.py).
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from jsrunner.engine.engine import process_engine
from jsrunner.errors import ScriptError
from jsrunner.script import commonjs, language, specifiers
from jsrunner.script.scanner import Import, Scan, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.script.typescript import Translator

#: The prefix, before a module's URL, of the generated module with its `import.meta`.
META: Final = "jsrunner:meta/"
#: The prefix, before a module's URL, of the generated module with the positions of its TypeScript.
POSITIONS: Final = "jsrunner:positions/"

#: The replacements, of the same length, of `import.meta` and of the `import` of a call. The first is
#: used that the text does not contain.
_META_NAMES: Final = ("import_meta", "import$meta")
_CALL_NAMES: Final = ("imp_rt", "imp$rt")
_DYNAMIC: Final = "jsrunner:commonjs"
_EXPORTED: Final = re.compile(r"(?<![\w$])exports\.([A-Za-z_$][\w$]*)\s*=(?!=)")


class Module(Struct):
    """A module of the script. It is read once per process."""

    url: str
    #: The text for the engine.
    text: str
    is_commonjs: bool
    #: The imports of an ES module.
    scan: Scan
    #: The exports that are found in the text of a CommonJS module, which may have others.
    exported: frozenset[str] = frozenset()
    #: The positions of the code in TypeScript: the `mappings` of a source map.
    mappings: str = ""
    #: The specifiers of jsrunner's own modules that the text for the engine imports.
    own: tuple[str, ...] = ()


class Modules:
    """The modules of a script, also those that have failed. There is one object per process.

    Args:
        read: Returns the text of the module at a URL. Raises ScriptError.
        main: The URL of the main script.
        is_stdin: True if the main script comes from standard input.
    """

    def __init__(self, read: Callable[[str], str], *, main: str, is_stdin: bool) -> None:
        self._read = read
        self._main = main
        self._is_stdin = is_stdin
        self._known: dict[str, Module | ScriptError] = {}
        #: The script's specifiers of the imports by URL, for error texts.
        self.spelled: dict[str, str] = {}
        #: The modules that are being read: a module in a cycle is asked for a second time meanwhile.
        self._reading: set[str] = set()
        #: The names that imports of a module ask for, by the module's URL.
        self._wanted: dict[str, set[str]] = {}
        self._translator: Translator | None = None

    def knows(self, url: str) -> bool:
        """Return True if the module at a URL has been read, or has failed."""
        return url in self._known

    def get(self, url: str) -> Module:
        """Return the module at a URL; read it the first time.

        Raises:
            ScriptError: The module cannot be read or translated.
        """
        module = self._known.get(url)
        if module is None:
            self._reading.add(url)
            try:
                module = self._make(url)
            except ScriptError as error:
                module = error
            finally:
                self._reading.discard(url)
            self._known[url] = module
        if isinstance(module, ScriptError):
            raise ScriptError(str(module), exit_code=module.exit_code, hint=module.hint)
        return module

    def loaded(self) -> None:
        """End the TypeScript compiler, if it runs: all modules have been read."""
        if self._translator is not None:
            self._translator.close()
            self._translator = None

    def imported_names(self, base: str, specifier: str, target: str) -> list[str]:
        """Return the names that a module imports from another one.

        Args:
            base: The URL of the importing module.
            specifier: The specifier of the import.
            target: The URL of the imported module.
        """
        module = self._known.get(base)
        if not isinstance(module, Module):
            return []
        names = dict.fromkeys(module.scan.names_from(specifier))
        for declaration in module.scan.imports:
            if declaration.specifier == specifier and declaration.namespace:
                names[commonjs.NAMESPACE] = None
            elif declaration.specifier == specifier and declaration.star:
                # The names to pass on are those that imports of `base` ask for.
                passed = self._wanted.get(base, set()) - {"default"}
                imported = self._known.get(target)
                if isinstance(imported, Module):
                    passed = passed | imported.exported
                names.update(dict.fromkeys(sorted(passed)))
        return list(names)

    def spelling(self, name: str, url: str) -> str | None:
        """Return the specifier by which a module imports a name from another module.

        Args:
            name: The imported name.
            url: The begin of the other module's URL.

        Returns:
            The specifier; None if there is no such import.
        """
        for module in self._known.values():
            if isinstance(module, Module):
                for declaration in module.scan.imports:
                    with contextlib.suppress(ScriptError):
                        target = specifiers.resolve(module.url, declaration.specifier)
                        if name in declaration.names and target.startswith(url):
                            return declaration.specifier
        return None

    # -- reading -----------------------------------------------------------------------------------

    def _make(self, url: str) -> Module:
        text = self._read(url)
        mappings = ""
        if self._is_typescript(url, text):
            text, mappings = self._translate(text, url)
        if commonjs.is_commonjs(text, self._is_function_body):
            return self._commonjs(url, text, mappings)
        return self._es_module(url, text, mappings)

    def _translate(self, text: str, url: str) -> tuple[str, str]:
        from jsrunner.script.typescript import Translator

        if self._translator is None:
            self._translator = Translator()
        translation = self._translator.translate(text, url)
        return translation.code, translation.mappings

    def _commonjs(self, url: str, text: str, mappings: str) -> Module:
        calls = scan(text).calls if "import" in text else []
        edited = _EditedText(text, url, Scan(calls=calls), mappings)
        return Module(
            url,
            commonjs.definition(edited.text) + edited.tail,
            is_commonjs=True,
            scan=Scan(),
            exported=frozenset(_EXPORTED.findall(text)),
            mappings=mappings,
            own=edited.own,
        )

    def _es_module(self, url: str, text: str, mappings: str) -> Module:
        scanned = scan(text)
        edits: list[tuple[int, int, str]] = []
        for declaration in scanned.imports:
            if declaration.attributes is not None:
                line, column = _place(text, declaration.attributes)
                raise ScriptError(f"{url}: Line {line}:{column} Unexpected token with")
            edits += self._namespace_edit(url, declaration, scanned)
        edited = _EditedText(text, url, scanned, mappings, edits)
        return Module(
            url,
            edited.text + edited.tail,
            is_commonjs=False,
            scan=scanned,
            mappings=mappings,
            own=edited.own,
        )

    def _namespace_edit(
        self, url: str, declaration: Import, scanned: Scan
    ) -> list[tuple[int, int, str]]:
        """Return the edit of a namespace's import if the engine's namespace would differ from k6's.

        The engine does not know the names of a CommonJS module. A module of k6 has no `default` in its
        namespace, but the same module may import its `default`.
        """
        specifier = declaration.specifier
        try:
            target = specifiers.resolve(url, specifier)
            if specifiers.is_builtin(target):
                is_mixed = declaration.namespace is not None and scanned.names_from(specifier)
                return [_by_name(declaration)] if is_mixed else []
            self._wanted.setdefault(target, set()).update(declaration.names)
            if declaration.namespace is None or target in self._reading:
                return []
            self.spelled.setdefault(target, specifier)
            if not self.get(target).is_commonjs:
                return []
        except ScriptError:
            return []  # the engine asks for the module later and gets the error
        return [_by_name(declaration)]

    # -- errors of modules -------------------------------------------------------------------------

    def syntax_error(self, url: str | None) -> str | None:
        """Return k6's text of the syntax error in a module.

        Args:
            url: The module; None for the first module with an error.

        Returns:
            The text; None if there is no error, or if it cannot be explained.
        """
        for candidate in list(self._known) if url is None else [url]:
            module = self._known.get(candidate)
            if isinstance(module, Module):
                text = self._explain(candidate, module.is_commonjs)
                if text is not None:
                    return text
        return None

    def _explain(self, url: str, is_commonjs: bool) -> str | None:
        from jsrunner.script import syntax  # here, because only scripts with errors need it

        text = self._read(url)
        if self._is_typescript(url, text):
            text, _ = self._translate(text, url)
        return syntax.explain(text, url, process_engine().syntax_error, is_commonjs=is_commonjs)

    # -- questions to the engine -------------------------------------------------------------------

    @staticmethod
    def _is_function_body(text: str) -> bool:
        return process_engine().compiles(text, as_function=True)

    def _is_typescript(self, url: str, text: str) -> bool:
        """Return True if a text must be translated because it is no JavaScript, as in k6.

        JavaScript is not translated, because the compiler removes imports that are not used.
        """
        if not url.endswith(".ts") and not (url == self._main and self._is_stdin):
            return False
        engine = process_engine()
        return not engine.compiles(text, as_function=True) and not engine.compiles(
            text, as_function=False
        )


def _by_name(declaration: Import) -> tuple[int, int, str]:
    """Return the edit that makes a named import of the import of a namespace."""
    assert declaration.namespace is not None
    start, end = declaration.namespace
    return start, end, f'{{ "{commonjs.NAMESPACE}" as {declaration.namespace_name} }}'


class _EditedText:
    """A module's text after edits, and the imports behind its last line."""

    def __init__(
        self,
        text: str,
        url: str,
        scanned: Scan,
        mappings: str,
        edits: Sequence[tuple[int, int, str]] = (),
    ) -> None:
        changes, tail = list(edits), ""
        own: list[str] = []
        for starts, names, member, specifier in (
            (scanned.metas, _META_NAMES, "meta", META + url),
            (scanned.calls, _CALL_NAMES, "dynamic", _DYNAMIC),
        ):
            if starts:
                name = next(name for name in names if name not in text)
                changes += [(start, start + len(name), name) for start in starts]
                own.append(specifier)
                tail += f"\nimport {{ {member} as {name} }} from {json.dumps(specifier)};"
        unbound = language.modules_for(text)
        if mappings:
            unbound += (POSITIONS + url,)
        own += unbound
        tail += "".join(f"\nimport {json.dumps(specifier)};" for specifier in unbound)
        for start, end, replacement in sorted(changes, reverse=True):
            text = text[:start] + replacement + text[end:]
        self.text, self.tail, self.own = text, tail, tuple(own)


def _place(text: str, at: int) -> tuple[int, int]:
    """Return the line, from 1 on, and the column, from 0 on, of an offset."""
    before = text[:at]
    return before.count("\n") + 1, at - before.rfind("\n")
