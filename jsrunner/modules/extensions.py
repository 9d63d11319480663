"""Modules of other Python packages, which scripts import as `k6/x/NAME`.

A package offers a module by an entry point of the group `jsrunner.modules`. The entry point's name is
the specifier; its value is a Python module with a `HostModule`, the Python half. The JavaScript half is
NAME.js beside it. Either half may be missing. Without JavaScript the operations are the exports.
Without Python the value is the path that the Python module would have (see docs/guides/extensions.md).
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path

from msgspec import Struct

from jsrunner.errors import ScriptError
from jsrunner.modules.base import HostModule

GROUP = "jsrunner.modules"


class ModuleExtension(Struct, frozen=True):
    """A module that a package offers."""

    half: type[HostModule] | None
    text: str


@functools.cache
def find(specifier: str) -> ModuleExtension | None:
    """Return the module that a package offers, None without one.

    Raises:
        ScriptError: The package's entry point is wrong.
    """
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        if point.name == specifier:
            try:
                return _load(specifier, point.value)
            except (ImportError, OSError) as error:
                raise ScriptError(f"{specifier} ({point.value}) cannot be loaded: {error}") from None
    return None


def _load(specifier: str, name: str) -> ModuleExtension:
    spec = importlib.util.find_spec(name)
    half = None if spec is None else half_of(importlib.import_module(name), specifier)
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).with_suffix(".js")
    else:
        package, _, stem = name.rpartition(".")
        path = Path(str(importlib.import_module(package).__file__)).with_name(f"{stem}.js")
    if path.is_file():
        return ModuleExtension(half, path.read_text(encoding="utf-8"))
    if half is None:
        raise ImportError("there is neither a HostModule of that specifier nor a JavaScript file")
    return ModuleExtension(half, _exports(half))


def half_of(module: object, specifier: str | None = None) -> type[HostModule] | None:
    """Return the Python half that a module defines; of several, the half with the specifier."""
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, HostModule)
            and value.__module__ == getattr(module, "__name__", "")
            and specifier in (None, value.specifier)
        ):
            return value
    return None


def _exports(half: type[HostModule]) -> str:
    """Return a JavaScript half that exports the operations as functions."""
    names = [name for name in dir(half) if getattr(getattr(half, name), "is_operation", False)]
    lines = ["import { host } from 'jsrunner:host';"]
    lines += [
        f"export const {name} = (...args) => host('{half.prefix()}.{name}', ...args);" for name in names
    ]
    return "\n".join([*lines, f"export default {{ {', '.join(names)} }};"])
