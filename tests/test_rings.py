"""The architecture: which part of the package may import which, and which parts are pure.

docs/explanation/architecture.md draws both, and there are no exceptions. A module imports only from its
own part and from layers below, under `if TYPE_CHECKING:` too. The pure parts, which decide what a run is
and what it has measured, know no clock, no socket, no greenlet and no engine, so that a schedule of a day
is tested in milliseconds.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jsrunner"

#: The one picture of the layers.
PICTURE = ROOT / "docs" / "explanation" / "architecture.md"


def drawn(picture: str) -> list[set[str]]:
    """Return the parts on each line of a picture in the architecture document."""
    block = PICTURE.read_text(encoding="utf-8").split(f"```{picture}\n")[1].split("```")[0]
    return [set(line.partition("#")[0].split()) for line in block.splitlines()]


def drawn_layers() -> tuple[set[str], ...]:
    """Return the layers from the bottom up; "" is the package itself."""
    layers = [{"" if part == "jsrunner" else part for part in layer} for layer in drawn("layers")]
    return tuple(reversed(layers))


#: Parts of one layer do not know each other. The longest name that fits says where a module belongs.
LAYERS = drawn_layers()

#: Parts that know nothing of the outside world.
PURE = set().union(*drawn("pure"))

#: The outside world.
IMPURE = {
    "asyncio", "datetime", "dukpy", "gevent", "multiprocessing", "ngh2", "os", "pathlib", "random",
    "select", "selectors", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time",
    "websocket", "websockets",
}  # fmt: skip


class Import(NamedTuple):
    line: int
    name: str
    #: Under `if TYPE_CHECKING:`.
    typing_only: bool


def module_name(path: Path) -> str:
    """Without the package's own: `options.model`, "" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path: Path) -> Iterator[Import]:
    """Return all imports of a file; modules of jsrunner by `module_name`."""

    def visit(node: ast.AST, typing_only: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for one in node.names:
                yield from named(node.lineno, one.name, typing_only)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            for one in node.names:
                name = f"{node.module}.{one.name}"
                is_module = name.removeprefix("jsrunner.") in MODULES
                yield from named(node.lineno, name if is_module else node.module, typing_only)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for child in node.body:
                yield from visit(child, True)
            for child in node.orelse:
                yield from visit(child, typing_only)
        else:
            for child in ast.iter_child_nodes(node):
                yield from visit(child, typing_only)

    def named(line: int, name: str, typing_only: bool) -> Iterator[Import]:
        yield Import(line, name, typing_only)

    return visit(ast.parse(path.read_text(encoding="utf-8")), False)


def part_of(module: str) -> str:
    """The part of LAYERS that a module belongs to."""
    parts = [part for layer in LAYERS for part in layer]
    fitting = [part for part in parts if module == part or module.startswith(f"{part}.")]
    assert fitting, f"{module} belongs to no layer: say in LAYERS where it stands"
    return max(fitting, key=len)


def rank_of(part: str) -> int:
    return next(rank for rank, layer in enumerate(LAYERS) if part in layer)


def is_pure(module: str) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in PURE)


def own_module(name: str) -> str | None:
    """Return the name of a module of the package as `module_name` does; None for another package's."""
    if name == "jsrunner":
        return ""
    return name[9:] if name.startswith("jsrunner.") else None


@functools.cache
def our_imports() -> list[tuple[str, Path, Import]]:
    return [(module, path, one) for module, path in MODULES.items() for one in imports(path)]


def test_every_layer_is_there() -> None:
    present = {part_of(module) for module in MODULES}
    packages = {module.split(".")[0] for module in MODULES}
    for layer in LAYERS:
        for part in layer:
            assert part in present or part.split(".")[0] in packages, part


def test_a_layer_imports_only_from_layers_below() -> None:
    wrong = []
    for module, path, one in our_imports():
        own = own_module(one.name)
        if own is None:
            continue
        part, imported = part_of(module), part_of(own)
        if part != imported and rank_of(imported) >= rank_of(part):
            wrong.append(f"{path.relative_to(ROOT)}:{one.line}: {part} imports {one.name}")
    assert wrong == []


def test_there_are_no_circles() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, _, one in our_imports():
        own = own_module(one.name)
        if own is not None:
            graph[module].add(own)
    reached = {module: closure(graph, module) for module in graph}
    assert [module for module in graph if module in reached[module]] == []


def closure(graph: dict[str, set[str]], start: str) -> set[str]:
    """All that a module imports, and what that imports."""
    reached: set[str] = set()
    pending = [start]
    while pending:
        for module in graph.get(pending.pop(), set()) - reached:
            reached.add(module)
            pending.append(module)
    return reached


def test_pure_parts_look_at_nothing_but_pure_parts() -> None:
    wrong = []
    for module, path, one in our_imports():
        if not is_pure(module):
            continue
        place = f"{path.relative_to(ROOT)}:{one.line}: {module} imports {one.name}"
        own = own_module(one.name)
        if own is not None:
            if not is_pure(own):
                wrong.append(place)
        elif one.name.split(".")[0] in IMPURE:
            wrong.append(place)
    assert wrong == []


def test_pure_parts_load_nothing_that_is_not_pure() -> None:
    """Not by way of other modules either, but for msgspec, whose records know how to write dates."""
    names = [f"jsrunner.{module}" for module in MODULES if is_pure(module) and module]
    program = (
        "import sys\n"
        "import jsrunner, msgspec\n"
        "before = set(sys.modules)\n"
        f"for name in {names!r}: __import__(name)\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()
    assert set(names) <= set(loaded) | {"jsrunner.errors", "jsrunner.version"}
    assert IMPURE.isdisjoint(name.split(".")[0] for name in loaded)


@pytest.mark.parametrize("module", ["options.model", "coordinator.partition", "modules.session"])
def test_the_walk_finds_what_is_imported(module: str) -> None:
    """Else the tests above would hold for nothing."""
    names = {one.name for one in imports(MODULES[module])}
    assert names & {"jsrunner.options.kinds", "jsrunner.messages.plan", "jsrunner.modules.base"}
