"""The table of modules: a specifier is a path below this folder, with two halves side by side."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jsrunner.modules import extensions
from jsrunner.modules.base import prefix_of

if TYPE_CHECKING:
    from jsrunner.modules.base import HostModule

_FOLDER = Path(__file__).parent

#: Prefix of the specifiers of other packages' modules.
EXTENSIONS = "k6/x/"

#: Modules whose folders hold their parts: scripts can import the module, not its parts.
_WITH_PARTS: tuple[str, ...] = ("k6/http", "k6/net/grpc")

#: Modules that the engine loads in the middle of a script's code, when the script first uses what they
#: are for: see `later` of core/functions.c. Their texts are read beforehand: files may run out later.
LATE: Final = tuple(
    f"jsrunner:{name}"
    for name in (
        "commonjs",
        "descriptions",
        "error_texts",
        "globals/console",
        "globals/require",
        "globals/timers",
        "positions",
        "stages",
    )
)


def _stem(specifier: str) -> str | None:
    """Return a specifier's path below this folder, without suffix; None if it is no module's.

    The path is the specifier itself, or `index` in the folder of that name: `k6/ws`,
    `k6/crypto/index`, `k6/crypto/x509`, and of `jsrunner:globals/x` `globals/x`. The parts of a module
    have paths for jsrunner's own imports only: `k6/http/cookies` of `jsrunner:k6/http/cookies`.
    """
    if not (specifier.startswith(("jsrunner:", "k6/")) or specifier == "k6"):
        return None
    path = specifier.removeprefix("jsrunner:")
    if ".." in path or path.endswith("/index"):
        return None
    if path == specifier and path.rpartition("/")[0] in _WITH_PARTS:
        return None
    return f"{path}/index" if (_FOLDER / path).is_dir() else path


def source(specifier: str) -> str | None:
    """Return the JavaScript half of a module, None if there is no such module. Raises ScriptError."""
    if specifier.startswith(EXTENSIONS):
        extension = extensions.find(specifier)
        return None if extension is None else extension.text
    stem = _stem(specifier)
    path = _FOLDER / f"{stem}.js"
    return path.read_text(encoding="utf-8") if stem and path.is_file() else None


#: Loaded modules, by the prefix of their operations.
_known: dict[str, str] = {}


def note(specifier: str) -> None:
    """Remember a module that was loaded, so that `half` finds its Python half."""
    _known[prefix_of(specifier)] = specifier


def half(prefix: str) -> type[HostModule]:
    """Return the Python half of a loaded module by the prefix of its operations.

    Raises:
        LookupError: No loaded module has this prefix and a Python half.
    """
    python_half = _half(_known[prefix]) if prefix in _known else None
    if python_half is None:
        raise LookupError(f"no module has operations that begin with {prefix}")
    return python_half


def import_halves(*prefixes: str) -> None:
    """Import the Python halves of the modules with these prefixes that are loaded."""
    for prefix in prefixes:
        if prefix in _known:
            half(prefix)


@functools.cache
def _half(specifier: str) -> type[HostModule] | None:
    if specifier.startswith(EXTENSIONS):
        extension = extensions.find(specifier)
        return None if extension is None else extension.half
    stem = _stem(specifier)
    if stem is None or not (_FOLDER / f"{stem}.py").is_file():
        return None
    return extensions.half_of(importlib.import_module(f"jsrunner.modules.{stem.replace('/', '.')}"))
