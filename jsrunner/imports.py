"""Imports of modules without the rest of their packages, for a short start of a run's processes."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import ModuleType


@contextlib.contextmanager
def substituted(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Replace modules for the imports in this context.

    Args:
        modules: The replacements by name; None makes the import fail. A module that was imported before
            is not replaced.
    """
    absent = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def import_part(name: str, *, without: Collection[str]) -> ModuleType:
    """Import a module without running the code of its package and of optional modules.

    Args:
        name: The full name of a module in a top-level package.
        without: Names of optional modules. Their imports fail meanwhile.

    Returns:
        The module. `sys.modules` does not keep it: later imports of the package get the whole package.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    import importlib.util

    package = name.partition(".")[0]
    spec = None if package in sys.modules else importlib.util.find_spec(package)
    if spec is None:
        return importlib.import_module(name)
    bare = importlib.util.module_from_spec(spec)
    with substituted({package: bare, **dict.fromkeys(without)}):
        part = importlib.import_module(name)
    for module in [module for module in sys.modules if module.startswith(f"{package}.")]:
        del sys.modules[module]
    return part


def import_msgspec() -> None:
    """Import msgspec without typing_extensions, which takes 6 ms with what it imports.

    msgspec prefers typing_extensions where it is installed. From Python 3.11 on `typing` has the names
    that msgspec takes from it.
    """
    if sys.version_info >= (3, 11):
        with substituted({"typing_extensions": None}):
            import msgspec  # noqa: F401
