"""Compile the core: all C files of this folder into one shared library, libcore.so.

In the source tree the package's Python modules are compiled too.

Hatchling calls the build hook for a wheel and for an editable install. Developers run
`python -m jsrunner.core.build`, and pytest calls `build` before the first test. The library needs
nothing but the C library, so one wheel `py3-none-<platform>` serves every version of Python.

The compiler is the system's (`CC`, else `cc`, `gcc` or `clang`). Without one, and for other platforms,
it is zig from PyPI's package `ziglang`, which the hook adds to the requirements of the build.

This file is not part of a wheel, and a run never imports it. Hatchling loads it by its path, so it
imports nothing of jsrunner.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent

#: The library of the source tree, for editable installs and tests.
LIBRARY = FOLDER / "libcore.so"

#: The platforms of release wheels: zig's target, and the wheel's platform tag. glibc 2.17 is that of
#: manylinux2014. musl versions no symbols; musllinux_1_2 is the oldest tag that PyPI still builds for.
TARGETS = {
    "x86_64-linux-gnu.2.17": "manylinux_2_17_x86_64",
    "aarch64-linux-gnu.2.17": "manylinux_2_17_aarch64",
    "x86_64-linux-musl": "musllinux_1_2_x86_64",
    "aarch64-linux-musl": "musllinux_1_2_aarch64",
}

#: The variable that makes the build hook compile for a key of TARGETS.
TARGET_VARIABLE = "JSRUNNER_TARGET"

#: The requirement that brings a compiler where the system has none.
ZIG = "ziglang>=0.13"

#: Buffers are read as words, hence -fno-strict-aliasing. Frame pointers let perf walk the stack. They
#: and the two guards against overflows cost nothing that can be measured (below 1 ns of the 22 ns in
#: which a frame of 64 B is decoded and masked); -flto would save 6 ns there, -O2 costs 5.
FLAGS = (
    "-std=c11", "-g1", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-strict-aliasing",
    "-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer", "-fstack-protector-strong",
)  # fmt: skip
RELEASE_FLAGS = ("-O3", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2")
LIBRARIES = ("-Wl,-z,relro,-z,now", "-ldl", "-lm", "-pthread")
WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wno-unused-parameter", "-Wno-unused-result")

#: Less optimized, so that reports name the right lines. The first error ends the process.
SANITIZER_FLAGS = ("-O1", "-g", "-fno-sanitize-recover=all")

#: What core_version() returns: the fingerprint of sources and flags, and the platform tag.
VERSION = "jsrunner-core {fingerprint} {platform}"


class BuildError(Exception):
    """The core cannot be compiled. The text gives a developer the reason."""


def build(
    output: Path = LIBRARY,
    *,
    target: str = "",
    sanitizers: str = "",
    strict: bool = False,
    records_heat: bool = False,
) -> bool:
    """Compile the core, unless the library is there and was made from the same sources and flags.

    Args:
        output: Path of the library. It is replaced whole, so a process that has loaded it goes on.
        target: A key of TARGETS; "" is the platform of this machine.
        sanitizers: Names for -fsanitize, such as "address,undefined"; "" is none.
        strict: True if warnings are errors, as they are for developers. A user's compiler may be
            newer than the sources and warn of more.

        records_heat: True for a library that records which blocks of the template VUs use.

    Returns:
        True if the library was compiled.

    Raises:
        BuildError: There is no compiler, or it has refused the sources.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    flags = _flags(sanitizers, records_heat=records_heat)
    fingerprint = _fingerprint(target, flags)
    with _locked(output.parent):
        if _is_current(output, fingerprint):
            return False
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".build-") as scratch:
            library = Path(scratch, output.name)
            if _is_current(LIBRARY, fingerprint):
                shutil.copyfile(LIBRARY, library)
            else:
                _compile(library, fingerprint, target, [*flags, *(["-Werror"] if strict else [])])
            library.replace(output)
    return True


def compile_python() -> None:
    """Compile the changed Python modules of the package, as pip does for a wheel.

    Otherwise the start of a run compiles them, which takes longer than the rest of a short run (80 ms).
    If PYTHONDONTWRITEBYTECODE is set or the folder is not writable, each run would do it again.
    """
    compileall.compile_dir(FOLDER.parent, quiet=2)


def platform_of(library: Path) -> str:
    """Return the platform tag of a compiled library."""
    match = re.search(_version("[0-9a-f]+", r"(\w+)").encode(), library.read_bytes())
    if match is None:
        raise BuildError(f"{library} has no platform tag, so it is no compiled core")
    return match[1].decode()


def sanitizer_environment(library: Path) -> dict[str, str]:
    """Return the variables with which a Python process loads a library made with sanitizers.

    AddressSanitizer must be loaded first, together with the C++ library, whose exceptions (greenlet's)
    it intercepts. Leaks are not reported, because Python and its extensions leave memory to the end of
    the process. detect_stack_use_after_return is off, because it would lose its copies of locals on the
    stacks of fibers. Little freed memory is held back, because tests measure the process's memory.
    """
    runtimes = []
    for name in ("libasan.so", "libstdc++.so.6"):
        command = [*system_compiler(), f"-print-file-name={name}"]
        path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        if not Path(path).is_absolute():
            raise BuildError(f"{shlex.join(command)} finds no {name}: set CC to a gcc that has it")
        runtimes.append(path)
    return {
        "JSRUNNER_CORE": str(library),
        "LD_PRELOAD": ":".join(runtimes),
        "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1"
        ":quarantine_size_mb=16",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


# -- compilers -----------------------------------------------------------------------------------------


def system_compiler() -> list[str]:
    """Return the command of the system's C compiler, or [] if there is no working compiler.

    A compiler without the C library's headers does not work. `CC` is taken as it is.
    """
    if command := shlex.split(os.environ.get("CC", "")):
        return command
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            probe = subprocess.run(
                [path, "-shared", "-fPIC", "-x", "c", "-", "-o", os.devnull],
                input=b"#include <stdlib.h>\n", capture_output=True, check=False,
            )  # fmt: skip
            if probe.returncode == 0:
                return [path]
    return []


def _compiler(target: str) -> tuple[list[str], str]:
    """Return the compiler's command, and the platform tag of its libraries."""
    if target and target not in TARGETS:
        raise BuildError(f"the target {target!r} is none of {', '.join(TARGETS)}")
    system = _system_platform()
    if not target and (command := system_compiler()):
        return command, system
    if importlib.util.find_spec("ziglang") is None:
        raise BuildError(
            "there is no C compiler: install gcc or clang, set CC, or `pip install ziglang`"
        )
    if not target:
        target = f"{os.uname().machine}-linux-{'musl' if 'musllinux' in system else 'gnu.2.17'}"
    return [sys.executable, "-m", "ziglang", "cc", "-target", target], TARGETS.get(target, system)


def _system_platform() -> str:
    """Return the newest platform tag of this machine: a library made here may need its C library."""
    tags = list(platform_tags())
    return next((tag for tag in tags if "linux_" in tag and not tag.startswith("linux_")), tags[0])


def _compile(library: Path, fingerprint: str, target: str, flags: list[str]) -> None:
    compiler, platform = _compiler(target)
    command = [
        *compiler, *flags,
        f'-DCORE_VERSION="{_version(fingerprint, platform)}"', "-o", str(library),
        *(str(path) for path in _sources() if path.suffix == ".c"), *LIBRARIES,
    ]  # fmt: skip
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"the core does not compile:\n{shlex.join(command)}\n{done.stdout}")


def _flags(sanitizers: str, *, records_heat: bool) -> list[str]:
    more = [f"-fsanitize={sanitizers}", *SANITIZER_FLAGS] if sanitizers else RELEASE_FLAGS
    return [*FLAGS, *WARNINGS, *more, *(["-DRECORD_HEAT"] if records_heat else [])]


# -- inputs of a library -------------------------------------------------------------------------------


def _sources() -> list[Path]:
    return sorted(path for path in FOLDER.iterdir() if path.suffix in (".c", ".h"))


def _fingerprint(target: str, flags: list[str]) -> str:
    """Return a digest of all inputs of the compilation."""
    digest = hashlib.sha256(repr((target, flags, LIBRARIES)).encode())
    for path in _sources():
        digest.update(repr((path.name, path.read_bytes())).encode())
    return digest.hexdigest()[:16]


def _version(fingerprint: str, platform: str) -> str:
    return VERSION.format(fingerprint=fingerprint, platform=platform)


def _is_current(library: Path, fingerprint: str) -> bool:
    return library.is_file() and _version(fingerprint, "").encode() in library.read_bytes()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from compiling into the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# -- wheels --------------------------------------------------------------------------------------------


class CoreBuildHook(BuildHookInterface[BuilderConfig]):
    """Hatchling's hook for wheels: an editable one compiles into the source tree, others beside it."""

    def dependencies(self) -> list[str]:
        """Return the requirements of the build beyond those of pyproject.toml."""
        return [ZIG] if os.environ.get(TARGET_VARIABLE) or not system_compiler() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the core, and add it and its platform to the wheel."""
        if version == "editable":
            build()
            compile_python()
            return
        self._scratch = tempfile.TemporaryDirectory()
        library = Path(self._scratch.name, LIBRARY.name)
        build(library, target=os.environ.get(TARGET_VARIABLE, ""))
        build_data["force_include"][str(library)] = str(LIBRARY.relative_to(ROOT))
        build_data["tag"] = f"py3-none-{platform_of(library)}"
        build_data["pure_python"] = False

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled for the wheel."""
        if version != "editable":
            self._scratch.cleanup()


def build_wheels(folder: Path) -> list[Path]:
    """Make a release wheel for each of TARGETS by cross-compilation, and return their paths."""
    wheels: list[Path] = []
    for target, platform in TARGETS.items():
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, TARGET_VARIABLE: target})
        wheels += folder.glob(f"jsrunner-*-{platform}.whl")
    return wheels


# -- the command ---------------------------------------------------------------------------------------


def main() -> None:
    """Run the command of developers."""
    parser = argparse.ArgumentParser(
        prog="python -m jsrunner.core.build",
        description="Compile the core into the source tree, if its sources have changed.",
    )
    parser.add_argument(
        "--sanitize", default="", metavar="NAMES",
        help="compile with -fsanitize=NAMES, such as address,undefined, "
        "and print the variables with which Python loads the library",
    )  # fmt: skip
    parser.add_argument("--target", default="", choices=TARGETS, help="compile for another platform")
    parser.add_argument(
        "--output", type=Path, metavar="PATH", help="path of the library, or folder of wheels"
    )
    parser.add_argument("--wheels", action="store_true", help="make the wheels of a release, in dist/")
    options = parser.parse_args()
    variant = "-".join([options.target or "native", *filter(None, options.sanitize.split(","))])
    is_usual = variant == "native"
    output = options.output or (LIBRARY if is_usual else ROOT / "build" / variant / LIBRARY.name)
    try:
        if options.wheels:
            build_wheels(options.output or ROOT / "dist")
            return
        build(output, target=options.target, sanitizers=options.sanitize, strict=True)
        if is_usual:
            compile_python()
        if options.sanitize:
            variables = sanitizer_environment(output.resolve())
            print(*(f"{name}={value}" for name, value in variables.items()))
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
