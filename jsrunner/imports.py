"""Imports of a part of what a package offers, for processes that live only as long as a run."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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


def bare_package(name: str) -> ModuleType | None:
    """Return a package whose own code has not run: its submodules can be imported, and nothing else.

    Args:
        name: The package.

    Returns:
        The package; None if it is not installed.
    """
    from importlib import util

    spec = util.find_spec(name)
    return None if spec is None else util.module_from_spec(spec)


def import_msgspec() -> None:
    """Import msgspec without typing_extensions, which takes 6 ms with what it imports.

    msgspec prefers typing_extensions where it is installed. From Python 3.11 on `typing` has the names
    that msgspec takes from it.
    """
    if sys.version_info >= (3, 11):
        with substituted({"typing_extensions": None}):
            import msgspec  # noqa: F401
