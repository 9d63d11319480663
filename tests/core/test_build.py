"""The build of the core: what it compiles, when, for whom, and what it says if it cannot.

The compiler of these tests writes down how it was called; tests/test_wheel.py compiles in earnest.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsrunner.core import build as building
from jsrunner.core.build import LIBRARY, ROOT, ZIG, BuildError, build, platform_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: Writes its arguments into the output, or refuses the file `broken.c`.
COMPILER = """
import json, sys
words = sys.argv[1:]
if any(word.endswith("broken.c") for word in words):
    sys.exit("broken.c:1:1: error: unknown type name 'nonsense'")
defined = [word[len("-DCORE_VERSION="):].strip('"') for word in words if word.startswith("-DCORE_VERSION=")]
with open(words[words.index("-o") + 1], "w") as output:
    output.write("\\n".join([*defined, json.dumps(words)]))
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the core's sources, and a compiler that notes how it is called."""
    folder = tmp_path / "core"
    folder.mkdir()
    for path in building.FOLDER.glob("*.[ch]"):
        shutil.copy(path, folder)
    monkeypatch.setattr(building, "FOLDER", folder)
    compiler = tmp_path / "compiler.py"
    compiler.write_text(COMPILER)
    monkeypatch.setenv("CC", f"{sys.executable} {compiler}")
    return folder


def arguments(library: Path) -> list[str]:
    words: list[str] = json.loads(library.read_text().splitlines()[1])
    return words


def test_the_library_says_what_it_is() -> None:
    """The library of the source tree is up to date, for pytest has seen to that."""
    core_version = ctypes.PyDLL(str(LIBRARY)).core_version
    core_version.restype = ctypes.c_char_p
    name, fingerprint, platform = core_version().decode().split()
    assert name == "jsrunner-core"
    assert len(fingerprint) == 16
    assert platform == platform_of(LIBRARY)
    assert "linux" in platform
    assert not build(strict=True)


def test_it_compiles_what_has_changed(sources: Path, tmp_path: Path) -> None:
    library = tmp_path / "new" / "libcore.so"
    (sources / "version.c").write_text("/* other sources than the library's */")
    assert build(library)
    assert not build(library)
    (sources / "more.h").write_text("")
    assert build(library)
    (sources / "more.h").unlink()
    assert build(library)
    assert build(library, sanitizers="undefined")
    assert list(library.parent.iterdir()) == [library]


def test_a_library_of_the_same_sources_is_copied(sources: Path, tmp_path: Path) -> None:
    assert build(tmp_path / "libcore.so")
    assert (tmp_path / "libcore.so").read_bytes() == LIBRARY.read_bytes()


def test_the_compilers_arguments(sources: Path, tmp_path: Path) -> None:
    (sources / "version.c").write_text("/* other sources than the library's */")
    library = tmp_path / "libcore.so"
    build(library)
    usual = arguments(library)
    assert [Path(word).name for word in usual if word.endswith(".c")] == sorted(
        path.name for path in sources.glob("*.c")
    )
    assert {"-O3", "-shared", "-fvisibility=hidden", "-Wall"} <= set(usual)
    assert "-Werror" not in usual
    (sources / "version.c").write_text("")
    build(library, sanitizers="address,undefined", strict=True)
    words = arguments(library)
    assert {"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Werror"} <= set(words)
    assert [word for word in words if word.startswith("-O")] == ["-O1"]


def test_the_compilers_words_are_shown(sources: Path, tmp_path: Path) -> None:
    (sources / "broken.c").write_text("nonsense")
    with pytest.raises(BuildError) as caught:
        build(tmp_path / "libcore.so")
    first, command, output, *_ = str(caught.value).splitlines()
    assert first == "the core does not compile:"
    assert command.startswith(os.environ["CC"])
    assert f"{sources}/broken.c" in command
    assert output == "broken.c:1:1: error: unknown type name 'nonsense'"
    assert not (tmp_path / "libcore.so").exists()


@pytest.fixture
def no_compiler(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ziglang", None)


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler(sources: Path, tmp_path: Path) -> None:
    (sources / "more.h").write_text("")
    with pytest.raises(BuildError, match="there is no C compiler: install gcc or clang, set CC, or"):
        build(tmp_path / "libcore.so")


@pytest.mark.usefixtures("no_compiler")
def test_a_compiler_that_does_not_compile_is_none(tmp_path: Path) -> None:
    """As gcc without the C library's headers."""
    for name in ("cc", "gcc"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    assert building.system_compiler() == []
    (tmp_path / "clang").write_text("#!/bin/sh\n")
    (tmp_path / "clang").chmod(0o755)
    assert building.system_compiler() == [str(tmp_path / "clang")]


def test_an_unknown_target(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="'sparc-linux-gnu' is none of x86_64-linux-gnu"):
        build(tmp_path / "libcore.so", target="sparc-linux-gnu")


@pytest.fixture
def requirements() -> Callable[..., list[str]]:
    def requirements(**environment: str) -> list[str]:
        """Return the requirements of a build, beyond pyproject.toml."""
        program = "from hatchling.build import *; print(*get_requires_for_build_wheel(), sep='\\n')"
        clean = {name: value for name, value in os.environ.items() if name != "CC"}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**clean, **environment}, cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.split()

    return requirements


def test_zig_is_asked_for_only_where_it_is_needed(
    requirements: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert requirements(PATH=str(tmp_path)) == [ZIG]
    assert requirements(CC="gcc") == []
    assert requirements(CC="gcc", JSRUNNER_TARGET="aarch64-linux-musl") == [ZIG]


def test_python_modules_are_compiled(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where Python itself writes no bytecode."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = sources.parent / "module.py"
    module.write_text("VALUE = 1\n")
    building.compile_python()
    compiled = Path(importlib.util.cache_from_source(str(module)))
    assert compiled.is_file()
    first = compiled.read_bytes()
    building.compile_python()
    assert compiled.read_bytes() == first
    module.write_text("ANOTHER_VALUE = 2\n")
    os.utime(module, (1, 1))
    building.compile_python()
    assert compiled.read_bytes() != first


def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jsrunner.core.build", "--output", str(tmp_path / "libcore.so")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "libcore.so").read_bytes() == LIBRARY.read_bytes()
    wrong = [*command, "--target", "sparc"]
    done = subprocess.run(wrong, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "invalid choice: 'sparc'" in done.stderr
