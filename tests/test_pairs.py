"""The two halves of each module: the specifier is the path, and the JavaScript half calls the
operations that the Python half offers, all of them and no others."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from jsrunner.engine.engine import process_engine
from jsrunner.modules import registry
from jsrunner.modules.base import HostModule

PACKAGE = Path(registry.__file__).parent.parent
MODULES = PACKAGE / "modules"
#: Folders of what scripts import and of what they find in the global scope; "" is what both faces of
#: WebSocket share.
HALVES = ("k6", "globals", "")
#: Folders of a module's own parts.
WITH_PARTS = (MODULES / "k6" / "http", MODULES / "k6" / "net" / "grpc")
#: JavaScript that VUs run; a browser runs that of the report's page.
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.js"))
    if not path.is_relative_to(PACKAGE / "report")
}


def half_of(path: Path) -> type[HostModule] | None:
    """The HostModule that a Python file defines, if it is a module's half."""
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    module = importlib.import_module(name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, HostModule) and value.__module__ == name
    ]
    assert len(found) <= 1, f"{path} has more than one half"
    return found[0] if found else None


PYTHON = {
    path: half
    for folder in HALVES
    for path in sorted((MODULES / folder).rglob("*.py") if folder else [MODULES / "session.py"])
    if path.stem != "__init__" and (half := half_of(path)) is not None
}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def operations(half: type[HostModule]) -> set[str]:
    return {name for name in dir(half) if getattr(getattr(half, name), "is_operation", False)}


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_a_python_half_stands_beside_its_javascript_half(path: Path) -> None:
    """And the specifier says where."""
    half = PYTHON[path]
    script = path.with_suffix(".js")
    assert script in SOURCES
    assert registry.source(half.specifier) == SOURCES[script]
    assert operations(half)


def test_prefixes_are_unique() -> None:
    prefixes = [half.prefix() for half in PYTHON.values()]
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_every_operation_is_called(path: Path) -> None:
    """By its whole name, also in the core, or by a name that a file puts behind the prefix."""
    half = PYTHON[path]
    prefix = re.escape(half.prefix())
    core = "".join(source.read_text(encoding="utf-8") for source in (PACKAGE / "core").glob("*.c"))
    called = set(re.findall(rf'core_define_operation\("{prefix}\.([a-z_0-9]+)"\)', core))
    for source in SOURCES.values():
        called |= set(re.findall(rf"['`]{prefix}\.([a-z_0-9]+)['`]", source))
        if f"'{half.prefix()}.' + " in source:
            called |= set(re.findall(r"['`]([a-z_0-9]+)['`]", source))
        # By the functions of a file that does so, where another one imports them.
        if half.prefix() == "subtle" and "from 'jsrunner:webcrypto/values'" in source:
            called |= set(re.findall(r"\brun\w*\(\s*'([a-z_0-9]+)'", source))
    assert operations(half) <= called


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_operation_that_is_called_is_there(path: Path) -> None:
    known = {half.prefix(): operations(half) for half in PYTHON.values()}
    for call, prefix, operation in re.findall(
        r"\b(host|callPython|asynchronous)\(\s*['`]([a-z_0-9]+)\.([a-z_0-9]+)['`]", SOURCES[path]
    ):
        if prefix in known:
            assert operation in known[prefix], f"{call}('{prefix}.{operation}')"
        else:
            assert prefix in ("vu", "errors"), f"{call}('{prefix}.{operation}')"  # the VU's own


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_file_can_be_parsed(path: Path) -> None:
    assert process_engine().syntax_error(SOURCES[path]) is None


def test_a_file_that_cannot_be_parsed_is_found() -> None:
    """Else the test above would hold for nothing."""
    assert process_engine().syntax_error("\nexport const ;") == ("variable name expected", 2)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_file_is_checked_by_type_checkers(path: Path) -> None:
    assert "\n// @ts-check\n" in SOURCES[path][:1000]


@pytest.mark.parametrize(
    "specifier",
    [
        re.sub(r"/index$", "", str(path.relative_to(MODULES).with_suffix("")))
        for path in SOURCES
        if path.is_relative_to(MODULES / "k6")
        and (path.stem == "index" or path.parent not in WITH_PARTS)
    ],
)
def test_every_module_can_be_imported_by_its_path(specifier: str) -> None:
    source = registry.source(specifier)
    assert source is not None
    assert re.search(r"^export ", source, re.MULTILINE)


def test_the_parts_of_a_module_are_no_modules() -> None:
    assert registry.source("k6/http") is not None
    assert registry.source("k6/http/cookies") is None
    assert registry.source("k6/net/grpc/stream") is None
