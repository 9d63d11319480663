"""A script's own modules: of what kind each is, and the text that the engine gets for it.

The engine knows ES modules only, links them strictly, and offers `import.meta` and `import()`
of its own. k6's rules are laid over that, without moving any code from its line and column:
- an import from a CommonJS module, or of a name that a module of k6 lacks, goes to a facade;
- `import.meta` and `import` of a call become names of the same length, bound by imports behind the
  last line;
- TypeScript is translated, and its positions are registered by such an import;
- built-ins that the engine lacks are defined by such an import (see language.py).
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

#: Modules that we make for a module of the script: the prefix, then the module's URL.
META: Final = "jsrunner:meta/"
POSITIONS: Final = "jsrunner:positions/"

#: What these words become: names as long as they are, of which a script has at most one.
_META_NAMES: Final = ("import_meta", "import$meta")
_CALL_NAMES: Final = ("imp_rt", "imp$rt")
_DYNAMIC: Final = "jsrunner:commonjs"
_EXPORTED: Final = re.compile(r"(?<![\w$])exports\.([A-Za-z_$][\w$]*)\s*=(?!=)")


class Module(Struct):
    """A module of the script, read once."""

    url: str
    #: What the engine gets.
    text: str
    is_commonjs: bool
    #: What an ES module imports.
    scan: Scan
    #: Names that a CommonJS module is seen to export: there may be others.
    exported: frozenset[str] = frozenset()
    #: Where the code stands in TypeScript, as a source map has it.
    mappings: str = ""
    #: Modules of ours that its text imports.
    own: tuple[str, ...] = ()


class Modules:
    """Reads modules with `read(url)` and keeps them; also what was wrong with those that failed."""

    def __init__(self, read: Callable[[str], str], *, main: str, is_stdin: bool) -> None:
        self._read = read
        self._main = main
        self._is_stdin = is_stdin
        self._known: dict[str, Module | ScriptError] = {}
        #: How the script spells the import of each URL; for error texts.
        self.spelled: dict[str, str] = {}
        #: Modules that are being read: one of a cycle is asked for once more meanwhile.
        self._reading: set[str] = set()
        #: Names that were seen to be imported from a module.
        self._wanted: dict[str, set[str]] = {}
        self._translator: Translator | None = None

    def knows(self, url: str) -> bool:
        return url in self._known

    def get(self, url: str) -> Module:
        """Raises ScriptError."""
        found = self._known.get(url)
        if found is None:
            self._reading.add(url)
            try:
                found = self._make(url)
            except ScriptError as error:
                found = error
            finally:
                self._reading.discard(url)
            self._known[url] = found
        if isinstance(found, ScriptError):
            raise ScriptError(str(found), exit_code=found.exit_code, hint=found.hint)
        return found

    def loaded(self) -> None:
        """No more modules are expected: end what helped to read them."""
        if self._translator is not None:
            self._translator.close()
            self._translator = None

    def imported_names(self, base: str, specifier: str, target: str) -> list[str]:
        """What the module `base` gets from `target`, which it calls `specifier`, by name."""
        module = self._known.get(base)
        if not isinstance(module, Module):
            return []
        names = dict.fromkeys(module.scan.names_from(specifier))
        for one in module.scan.imports:
            if one.specifier == specifier and one.namespace:
                names[commonjs.NAMESPACE] = None
            elif one.specifier == specifier and one.star:
                # What it has to pass on is known only as far as it was asked for.
                passed = self._wanted.get(base, set()) - {"default"}
                found = self._known.get(target)
                if isinstance(found, Module):
                    passed = passed | found.exported
                names.update(dict.fromkeys(sorted(passed)))
        return list(names)

    def spelling(self, name: str, url: str) -> str | None:
        """How an importer of this name calls the module, of whose URL the beginning is known."""
        for module in self._known.values():
            if isinstance(module, Module):
                for one in module.scan.imports:
                    with contextlib.suppress(ScriptError):
                        target = specifiers.resolve(module.url, one.specifier)
                        if name in one.names and target.startswith(url):
                            return one.specifier
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
        found = self._translator.translate(text, url)
        return found.code, found.mappings

    def _commonjs(self, url: str, text: str, mappings: str) -> Module:
        calls = scan(text).calls if "import" in text else []
        made = _Edited(text, url, Scan(calls=calls), mappings)
        return Module(
            url,
            commonjs.definition(made.text) + made.tail,
            is_commonjs=True,
            scan=Scan(),
            exported=frozenset(_EXPORTED.findall(text)),
            mappings=mappings,
            own=made.own,
        )

    def _es_module(self, url: str, text: str, mappings: str) -> Module:
        found = scan(text)
        edits: list[tuple[int, int, str]] = []
        for one in found.imports:
            if one.attributes is not None:
                line, column = _place(text, one.attributes)
                raise ScriptError(f"{url}: Line {line}:{column} Unexpected token with")
            edits += self._namespace_edit(url, one, found)
        made = _Edited(text, url, found, mappings, edits)
        return Module(
            url,
            made.text + made.tail,
            is_commonjs=False,
            scan=found,
            mappings=mappings,
            own=made.own,
        )

    def _namespace_edit(self, url: str, one: Import, found: Scan) -> list[tuple[int, int, str]]:
        """Import a namespace by a name where it cannot be the engine's.

        The names of a CommonJS module are not known. A module of k6 has no `default` in its namespace,
        but can be imported as `default` by the same module.
        """
        try:
            target = specifiers.resolve(url, one.specifier)
            if specifiers.is_builtin(target):
                is_mixed = one.namespace is not None and found.names_from(one.specifier)
                return [_by_name(one)] if is_mixed else []
            self._wanted.setdefault(target, set()).update(one.names)
            if one.namespace is None or target in self._reading:
                return []
            self.spelled.setdefault(target, one.specifier)
            if not self.get(target).is_commonjs:
                return []
        except ScriptError:
            return []  # the engine will meet it again, in its turn
        return [_by_name(one)]

    # -- what is wrong with a module -----------------------------------------------------------------

    def syntax_error(self, url: str | None) -> str | None:
        """Return k6's text of what is wrong with a module; None if nothing is, or nobody can say.

        Args:
            url: The module; None if it may be any.
        """
        for one in list(self._known) if url is None else [url]:
            module = self._known.get(one)
            told = self._explain(one, module.is_commonjs) if isinstance(module, Module) else None
            if told is not None:
                return told
        return None

    def _explain(self, url: str, is_commonjs: bool) -> str | None:
        from jsrunner.script import syntax  # for scripts with errors

        text = self._read(url)
        if self._is_typescript(url, text):
            text, _ = self._translate(text, url)
        return syntax.explain(text, url, process_engine().syntax_error, is_commonjs=is_commonjs)

    # -- questions to the engine -------------------------------------------------------------------

    @staticmethod
    def _is_function_body(text: str) -> bool:
        return process_engine().compiles(text, as_function=True)

    def _is_typescript(self, url: str, text: str) -> bool:
        """Whether the text has to be translated: only what is no JavaScript, as in k6.

        The compiler would drop imports that a file without types does not use.
        """
        if not url.endswith(".ts") and not (url == self._main and self._is_stdin):
            return False
        engine = process_engine()
        return not engine.compiles(text, as_function=True) and not engine.compiles(
            text, as_function=False
        )


def _by_name(one: Import) -> tuple[int, int, str]:
    """The edit that makes a named import of the import of a namespace."""
    assert one.namespace is not None
    start, end = one.namespace
    return start, end, f'{{ "{commonjs.NAMESPACE}" as {one.namespace_name} }}'


class _Edited:
    """A module's text after edits, and the imports to put behind it."""

    def __init__(
        self,
        text: str,
        url: str,
        found: Scan,
        mappings: str,
        edits: Sequence[tuple[int, int, str]] = (),
    ) -> None:
        changes, tail = list(edits), ""
        own: list[str] = []
        for starts, names, member, specifier in (
            (found.metas, _META_NAMES, "meta", META + url),
            (found.calls, _CALL_NAMES, "dynamic", _DYNAMIC),
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
    before = text[:at]
    return before.count("\n") + 1, at - before.rfind("\n")
