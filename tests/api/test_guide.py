"""The examples of docs/guides/python.md, as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "python.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.S | re.M)
if sys.version_info < (3, 11):  # for which there is no pandas 3
    EXAMPLES = [example for example in EXAMPLES if "pandas" not in example]

SCRIPT = """
import { check, sleep } from 'k6';
export const options = { thresholds: { checks: ['rate>0.9'] } };
export default () => { check(1, { one: (value) => value === 1 }); sleep(0.05); };
"""


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example(example: str, tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("level=") == done.stderr.count("stopped by the program"), done.stderr
