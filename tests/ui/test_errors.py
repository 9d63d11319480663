"""Errors by kind, as the screen shows them."""

from __future__ import annotations

from jsrunner.ui.errors import ErrorCounts
from jsrunner.ui.state import ErrorKind


def test_errors_of_a_kind_count_together() -> None:
    errors = ErrorCounts()
    errors.add("error", "", {"error": "seldom"})
    for number in range(3):
        errors.add("error", f"\n  VU {number}\x1b[2J failed\tthere\n  at line 7", {})
        errors.add("warning", "no error", {})
    assert errors.most(3) == (ErrorKind(3, "VU 0 [2J failed there"), ErrorKind(1, "seldom"))
    assert errors.most(1) == (ErrorKind(3, "VU 0 [2J failed there"),)


def test_the_number_of_kinds_is_bounded() -> None:
    errors = ErrorCounts()
    for number in range(5_000):
        errors.add("error", "x" * number, {})
    assert len(errors.most(10_000)) == 200
