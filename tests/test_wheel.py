"""The contents of the wheel, which is built as for a release, without a network.

The tests marked `release` cross-compile the wheels of all platforms, and look into the libraries.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsrunner.core.build import LIBRARY, TARGET_VARIABLE, TARGETS, build_wheels, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent


def hatchling(kind: str, folder: Path, *, root: Path = ROOT, **environment: str) -> Path:
    """Build a wheel or an sdist into the folder; its path."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    env = {**os.environ, **environment}
    subprocess.run(command, check=True, capture_output=True, cwd=root, env=env)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="session")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hatchling("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def wheel(wheel_file: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(wheel_file) as opened:
        yield opened


def is_source_of_the_core(path: Path) -> bool:
    return path.parent == LIBRARY.parent and (path.suffix in (".c", ".h") or path.name == "build.py")


def test_every_file_of_the_package_is_installed(wheel: zipfile.ZipFile) -> None:
    """Each JavaScript half, what says that the types are there, and the core as it was compiled."""
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "jsrunner").rglob("*")
        if "__pycache__" not in path.parts and path.is_file() and not is_source_of_the_core(path)
    }
    installed = {name for name in wheel.namelist() if name.startswith("jsrunner/")}
    assert installed == files
    assert {
        "jsrunner/py.typed", "jsrunner/modules/k6/ws.js", "jsrunner/engine/host.js", "jsrunner/core/libcore.so",
    } <= installed  # fmt: skip
    assert wheel.read("jsrunner/core/libcore.so") == LIBRARY.read_bytes()


def test_nothing_else_is_installed(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"jsrunner"}


def test_the_command_and_the_license(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "jsrunner = jsrunner.__main__:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "Requires-Python: >=3.10" in metadata


def test_one_wheel_serves_every_python(wheel_file: Path, wheel: zipfile.ZipFile) -> None:
    assert wheel_file.name.endswith(f"-py3-none-{platform_of(LIBRARY)}.whl")
    (name,) = [name for name in wheel.namelist() if name.endswith("/WHEEL")]
    assert "Root-Is-Purelib: false" in wheel.read(name).decode()


@pytest.mark.slow
def test_pip_takes_it(wheel_file: Path, tmp_path: Path) -> None:
    """The wheel is for this platform, and its library loads."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path), str(wheel_file)], check=True)
    installed = str(tmp_path / "jsrunner" / "core" / "libcore.so")
    program = f"import ctypes; ctypes.PyDLL({installed!r}).core_version"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The root of an unpacked sdist."""
    (tmp_path / "sdist").mkdir()
    with tarfile.open(hatchling("sdist", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (root,) = (tmp_path / "source").iterdir()
    return root


@pytest.mark.slow
def test_the_source_distribution_holds_the_core(source: Path) -> None:
    names = {path.name for path in LIBRARY.parent.iterdir() if path.suffix in (".c", ".h", ".py")}
    found = {path.name for path in (source / "jsrunner" / "core").iterdir()}
    assert found == names


@pytest.mark.slow
def test_the_source_distribution_holds_the_project_and_nothing_else(source: Path) -> None:
    assert {path.name for path in source.iterdir()} == {
        ".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "PKG-INFO", "README.md", "SECURITY.md",
        "bench", "docs", "examples", "js_scripts", "jsrunner", "pyproject.toml", "scripts", "tests",
        "zensical.toml",
    }  # fmt: skip


# -- releases ------------------------------------------------------------------------------------------


@pytest.mark.release
def test_zig_makes_a_wheel_where_there_is_no_compiler(source: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    wheel = hatchling("wheel", tmp_path / "wheel", root=source, PATH=str(tmp_path / "bin"), CC="")
    machine = os.uname().machine
    assert wheel.name.endswith((f"-manylinux_2_17_{machine}.whl", f"-musllinux_1_2_{machine}.whl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path / "installed"), str(wheel)], check=True)
    library = str(tmp_path / "installed" / "jsrunner" / "core" / "libcore.so")
    subprocess.run([sys.executable, "-c", f"import ctypes; ctypes.PyDLL({library!r})"], check=True)


@pytest.mark.release
def test_the_wheels_of_all_platforms(tmp_path: Path) -> None:
    """The machine is right, and no C library is needed that is newer than the wheel says."""
    from elftools.elf.elffile import ELFFile

    wheels = build_wheels(tmp_path)
    assert len(wheels) == len(TARGETS) == len(list(tmp_path.iterdir()))
    for (target, platform), path in zip(TARGETS.items(), wheels, strict=True):
        assert path.name.endswith(f"-py3-none-{platform}.whl")
        library = tmp_path / "libcore.so"
        with zipfile.ZipFile(path) as wheel:
            library.write_bytes(wheel.read("jsrunner/core/libcore.so"))
        with library.open("rb") as file:
            elf = ELFFile(file)
            assert elf["e_machine"] == f"EM_{target.split('-')[0].upper()}"
            tags = list(elf.get_section_by_name(".dynamic").iter_tags())
            needed = {tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"}
            symbols = elf.get_section_by_name(".dynsym").iter_symbols()
            exported = {
                symbol.name for symbol in symbols
                if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] == "STB_GLOBAL"
            }  # fmt: skip
            section = elf.get_section_by_name(".gnu.version_r")
            versions = [
                one.name for _, ones in (section.iter_versions() if section else ()) for one in ones
            ]
        assert all(name.startswith("core_") for name in exported), exported
        if "gnu" in target:
            assert needed <= {
                "libc.so.6",
                "libdl.so.2",
                "libm.so.6",
                "libpthread.so.0",
                "ld-linux-aarch64.so.1",
            }
            numbers = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", name) for name in versions]
            assert all(number and (int(number[1]), int(number[2])) <= (2, 17) for number in numbers)
        else:
            assert needed <= {"libc.so"}
            assert not versions


@pytest.mark.release
def test_a_wheel_for_an_unknown_platform(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hatchling("wheel", tmp_path, **{TARGET_VARIABLE: "sparc-linux-gnu"})
    assert b"the target 'sparc-linux-gnu' is none of x86_64-linux-gnu" in caught.value.stderr
