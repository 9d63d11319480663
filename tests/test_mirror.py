"""The tests mirror the package: `jsrunner/metrics/sinks.py` -> `tests/metrics/test_sinks.py`.

Long test files are split by concern: `test_sinks_CONCERN.py` stands beside `test_sinks.py`.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "jsrunner"

#: Folders of the package ("" for the files in the package itself) that are tested whole: each of
#: their modules that does anything has its test file. It grows until it names them all.
COVERED = (
    "",
    "api",
    "coordinator",
    "core",
    "executors",
    "messages",
    "metrics",
    "options",
    "outputs",
    "record",
    "report",
    "secrets",
    "summary",
    "web",
    "worker",
)

#: Modules of these that have no test file, and why: C files are the parts of one library.
UNTESTED: dict[str, str] = {
    "coordinator/remote/actor.py": "the transport's end in a Dask worker: tested in test_transport*.py",
    "coordinator/remote/agent.py": "the transport's end below a Dask worker: tested in test_transport*.py",
    "coordinator/remote/loans.py": "the agent's side of leases.py: tested in test_transport*.py",
    "coordinator/remote/node.py": "a Dask worker of `--dask local:N`: tested in test_transport*.py",
    "coordinator/remote/probe.py": "runs in Dask workers: tested in test_transport*.py",
    "pytest_plugin/__init__.py": "the hooks: tested with items and fixtures",
    "pytest_plugin/failure.py": "what tests show: tested with items and fixtures",
    "pytest_plugin/settings.py": "tested with items and fixtures",
    "api/arrow.py": "columns for other packages: tested in test_samples.py",
    "api/child.py": "the run's half of process.py and execution.py: tested there",
    "api/messages.py": "what these halves send each other",
    "api/records.py": "what results and snapshots consist of: tested there",
    "api/sample_file.py": "what samples.py reads: tested there",
    "__init__.py": "the public names: tested in test_exports.py",
    "core/bytes.c": "a buffer that grows: tested with what uses it, frames and values",
    "core/command.c": "a VU's commands: tested in test_vu.py",
    "core/dial.c": "tested with its Python half, in modules/test_session_attempt.py",
    "core/exports.c": "which functions JavaScript finds: tested with each of them",
    "core/http.c": "tested with its Python half, in modules/k6/http/test_recipes.py",
    "core/http_connection.c": "tested with its Python half, in modules/k6/http/test_recipes.py",
    "core/http_fields.c": "tested with its Python half, in modules/k6/http/test_recipes.py",
    "core/http_head.c": "tested with Python's reading of heads, in modules/k6/http/test_recipes.py",
    "core/http_recipe.c": "tested with its Python half, in modules/k6/http/test_recipes.py",
    "core/interpreter.c": "a VU's JavaScript: tested in test_vu.py",
    "core/leases.c": "numbers for iterations: tested in test_iterations.py",
    "core/mask.c": "tested with frames",
    "core/pack.c": "tested with requests, in engine/test_interpreter.py",
    "core/poller_epoll.c": "tested with what waits, in test_schedule.py and test_session.py",
    "core/recipe.c": "tested with its Python half, in modules/test_session_attempt.py",
    "core/request.c": "its Python half is engine/interpreter.py: tested there",
    "core/session_object.c": "tested with sessions, in test_session.py",
    "core/version.c": "tested with the build",
    "worker/context.py": "what modules see of a VU: tested with modules, and in test_scenario_vu.py",
    "worker/main.py": "a worker's main function: tested by whole runs, in test_player.py and faults/",
    "worker/vu.py": "the base of VUs: tested in test_scenario_vu.py and test_stage_vu.py",
}

#: Folders of tests that run the whole program.
WHOLE_RUNS = ("compat", "docs", "faults", "js_scripts")

#: Tests of what no single module does.
TOPICS = {
    "pytest_plugin/test_examples.py": "the project in examples/pytest",
    "test_exports.py": "the package's public names",
    "test_lean_imports.py": "what a run loads",
    "test_mirror.py": "this",
    "test_pairs.py": "the two halves of each module",
    "test_primordials.py": "what all JavaScript of ours goes by",
    "test_rings.py": "the layers",
    "test_wheel.py": "what is installed",
    "cli/test_commands.py": "the commands besides run and serve",
    "cli/test_with_server.py": "a run with the bundled server",
    "core/test_frames_differential.py": "frames against those of another package",
    "core/test_fuzz.py": "the fuzz targets",
    "modules/test_function_texts.py": "toString() of the functions that scripts get",
    "modules/test_session_attempt_tls.py": "attempts to connect by wss",
    "secrets/test_run.py": "secrets in a run",
    "ui/test_redaction.py": "secrets in the log",
    "ui/test_terminal.py": "the screen as a terminal shows it",
}


@functools.cache
def does_anything(path: Path) -> bool:
    """Return True if a module has a function with a body, as each C file has."""
    if path.suffix == ".c":
        return True
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if not all(isinstance(one, (ast.Pass, ast.Raise)) or is_dots(one) for one in body):
                return True
    return False


def is_dots(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node) == "..."


def test_of(module: Path) -> Path:
    """Return the path of a module's test file; a folder's `__init__` counts as the folder."""
    place = module.relative_to(PACKAGE)
    if place.stem == "__init__":
        place = place.parent
    return TESTS / place.parent / f"test_{place.stem.strip('_')}.py"


test_of.__test__ = False  # type: ignore[attr-defined] - no test, but for its name


def folder_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def untested() -> Iterator[Path]:
    for module in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.c")]):
        if does_anything(module) and not test_of(module).is_file():
            yield module


FOLDERS = sorted({folder_of(path) for path in PACKAGE.rglob("*.py") if does_anything(path)})


@pytest.mark.parametrize("folder", COVERED)
def test_every_module_has_its_test_file(folder: str) -> None:
    missing = {str(module.relative_to(PACKAGE)) for module in untested() if folder_of(module) == folder}
    assert missing == {name for name in UNTESTED if folder_of(PACKAGE / name) == folder}


@pytest.mark.parametrize("folder", sorted(set(FOLDERS) - set(COVERED)))
def test_a_folder_that_is_tested_whole_is_named(folder: str) -> None:
    missing = [module for module in untested() if folder_of(module) == folder]
    assert missing, f"add {folder!r} to COVERED"


def test_covered_folders_exist() -> None:
    assert set(COVERED) <= set(FOLDERS)


def belongs(path: Path, files: set[Path]) -> bool:
    """Return whether a test file is one of these, or is a part of one by its name."""
    parts = path.stem.split("_")
    names = ["_".join(parts[:length]) for length in range(2, len(parts) + 1)]
    return any(path.with_stem(name) in files for name in names)


def test_every_test_file_tests_a_module_or_a_known_topic() -> None:
    modules = {test_of(path) for path in PACKAGE.rglob("*") if path.suffix in (".c", ".js", ".py")}
    strays = set()
    for path in TESTS.rglob("test_*.py"):
        place = path.relative_to(TESTS)
        if not belongs(path, modules) and place.parts[0] not in WHOLE_RUNS:
            strays.add(str(place))
    assert strays <= set(TOPICS), "they test no module of that name: rename them, or say their topic"


def test_known_topics_have_their_files() -> None:
    assert [name for name in TOPICS if not (TESTS / name).is_file()] == []
