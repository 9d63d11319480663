"""Tests with load under pytest-xdist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Write = Callable[[str, str], Path]

SCRIPT = """
import { sleep } from 'k6';
export const setup = () => console.log('begin');
export default () => sleep(0.2);
export const teardown = () => console.log('end');
"""


def test_they_share_a_group(pytester: pytest.Pytester, write: Write) -> None:
    write("a.k6.js", SCRIPT)
    write(
        "test_python.py",
        "import pytest\ndef test_load(k6_run): pass\ndef test_other(): pass\n"
        "@pytest.mark.xdist_group('own')\ndef test_own(k6_run): pass",
    )
    items, _ = pytester.inline_genitems()
    groups = {item.name: [mark.args for mark in item.iter_markers("xdist_group")] for item in items}
    assert groups == {
        "run": [("k6",)],
        "test_load": [("k6",)],
        "test_other": [],
        "test_own": [("own",)],
    }


def test_without_xdist_there_are_no_groups(pytester: pytest.Pytester, write: Write) -> None:
    write("a.k6.js", SCRIPT)
    pytester.runpytest_subprocess("-p", "no:xdist", "--strict-markers").assert_outcomes(passed=1)


def test_one_runs_at_a_time(pytester: pytest.Pytester, write: Write) -> None:
    """However xdist distributes them."""
    write("script.js", SCRIPT)
    write(
        "test_python.py",
        "import json, pytest\n"
        "@pytest.mark.parametrize('number', range(4))\n"
        "def test_load(k6_run, number):\n"
        "    times = [record.time for record in k6_run('script.js').log]\n"
        "    with open(f'times-{number}', 'w') as file: json.dump(times, file)",
    )
    pytester.runpytest_subprocess("-n2", "--dist=load").assert_outcomes(passed=4)
    spans = sorted(json.loads(path.read_text()) for path in pytester.path.glob("times-*"))
    ends = [end for _, end in spans]
    assert len(spans) == 4
    assert all(end < begin for end, (begin, _) in zip(ends, spans[1:], strict=False))
