"""The base class of outputs."""

from __future__ import annotations

from jsrunner.metrics.registry import BUILTIN
from jsrunner.outputs.base import Output


def test_an_output_may_leave_everything_alone() -> None:
    output = Output()
    output.introduce(BUILTIN["vus"], (), ())
    output.write(b"line\n")
    output.merge([])
    output.end()
    output.close()
    output.close()
    assert output.formatter is None
    assert not output.news
