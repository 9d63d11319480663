"""Comparisons as text."""

from __future__ import annotations

import math

from jsrunner.report.compare import Change
from jsrunner.report.tables import markdown_table, percent, text_table

CHANGES = [
    Change("http_req_duration", "p(95)", "time", 100.0, 150.0, 0.5, (0.4, 0.6), "changed"),
    Change("vus", "max", "default", 1.0, 1.0, 0.0, None, "noise"),
]


def test_a_table_for_a_terminal() -> None:
    head, first, second = text_table(CHANGES).splitlines()[:3]
    assert first.split() == ["http_req_duration", "p(95)", "100", "150", "+50.0", "%", "+40.0", "%", "…",
                             "+60.0", "%", "changed"]  # fmt: skip
    assert head.index("baseline") + len("baseline") == first.index("100") + 3
    assert second.endswith("noise")


def test_a_table_for_a_pull_request() -> None:
    lines = markdown_table(CHANGES).splitlines()
    assert lines[2] == (
        "| `http_req_duration` | p(95) | 100 | 150 | +50.0 % | +40.0 % … +60.0 % | **changed** |"
    )
    assert lines[3].endswith("| – | noise |")


def test_hostile_names() -> None:
    hostile = [Change("a|b`\n\x1b[31m<img>", "avg", "time", 1.0, 1.0, 0.0, None, "noise")]
    assert markdown_table(hostile).splitlines()[2].startswith(r"| `a\|b'��[31m<img>` | avg | 1 |")
    assert text_table(hostile).splitlines()[1].startswith("a|b`��[31m<img>  avg ")


def test_a_change_from_nothing() -> None:
    assert percent(math.inf) == "from 0"
