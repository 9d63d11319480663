"""Imports of a part of what a package offers, for processes that live only as long as a run."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import ModuleType


@contextlib.contextmanager
def substituted(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Have imports in this context find other modules than those that are installed.

    Args:
        modules: The modules by name, None for no module. Names of imported modules have no effect.
    """
    absent = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def import_part(name: str, *, without: Collection[str]) -> ModuleType:
    """Import a module without the code of its package, and without modules that it can do without.

    Args:
        name: The module. Its package has to be a top-level package.
        without: Modules that are not found meanwhile.

    Returns:
        The module. It belongs to the caller: other imports of the package get all of the package.

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
