"""The records of heat, against the JavaScript that they are of."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsrunner.core.build import build
from jsrunner.engine.heat import COLD, HOT, RECORDED, heat_of

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def recorder() -> ModuleType:
    """The script that makes the records."""
    spec = importlib.util.spec_from_file_location("record_heat", ROOT / "scripts" / "record_heat.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("first", [*RECORDED, ""])
def test_the_records_are_of_todays_javascript(recorder: ModuleType, first: str) -> None:
    heat = heat_of(first)
    assert recorder.identity_of(first) == (len(heat.blocks), heat.fingerprint), (
        "run scripts/record_heat.py"
    )
    assert 0 < heat.blocks.count(HOT) < heat.blocks.count(COLD)


@pytest.mark.slow
def test_the_recorder_finds_the_blocks_that_vus_use(recorder: ModuleType, tmp_path: Path) -> None:
    library = tmp_path / "libcore.so"
    build(library, records_heat=True)
    recorded = heat_of("").blocks
    used = [
        block
        for block in recorder.used_blocks("bench/scripts/noop.js", library)
        if block < len(recorded)
    ]
    assert len(used) > 100
    # On a busy machine VUs do more, such as waiting for a turn of the scheduler.
    assert sum(recorded[block] > COLD for block in used) > 0.8 * len(used)


def test_a_template_without_a_record_is_hot() -> None:
    assert heat_of("k6/other").blocks == b""
