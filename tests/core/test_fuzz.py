"""A few seconds of each fuzz target under AddressSanitizer and UBSan; by hand more of them.

FUZZ_SECONDS=600 .venv/bin/pytest tests/core/test_fuzz.py
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from core_library import CORE, ENGINE, HERE, STUBBED, TRAPS, compile_c, python_stubs

from jsrunner.core.build import system_compiler

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.slow

#: zig has no AddressSanitizer.
SANITIZE = (
    ("-O1", *TRAPS)
    if "zig" in "".join(system_compiler())
    else ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
)
SECONDS = os.environ.get("FUZZ_SECONDS", "2")


def fuzz(target: Path) -> None:
    """Run a target; the input that fails is left beside it."""
    failed = target.with_name("failed-input")
    done = subprocess.run(
        [target, SECONDS],
        env={**os.environ, "FUZZ_INPUT": str(failed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\ninput: {failed}"


def test_frames(tmp_path: Path) -> None:
    sources = [CORE / name for name in ("frames.c", "mask.c", "utf8.c", "bytes.c")]
    fuzz(compile_c(tmp_path / "fuzz_frames", [HERE / "fuzz_frames.c", *sources], *SANITIZE))


def test_http(tmp_path: Path) -> None:
    sources = [HERE / "fuzz_http.c", CORE / "http_head.c"]
    fuzz(compile_c(tmp_path / "fuzz_http", sources, *SANITIZE))


def test_codec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKJS", ENGINE)
    names = ("codec_read.c", "codec_write.c", "utf8.c", "bytes.c", "quickjs.c")
    sources = [HERE / "fuzz_codec.c", *(CORE / name for name in names), python_stubs(tmp_path)]
    fuzz(compile_c(tmp_path / "fuzz_codec", sources, *SANITIZE, *STUBBED))
