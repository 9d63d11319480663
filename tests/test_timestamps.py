"""Times as outputs and the log write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.timestamps import rfc3339


@pytest.mark.parametrize(
    ("zone", "time_s", "text"),
    [
        ("UTC", 0, "1970-01-01T00:00:00Z"),
        ("UTC", 1_700_000_000.5, "2023-11-14T22:13:20.5Z"),
        ("UTC", 1_700_000_001.000001, "2023-11-14T22:13:21.000001Z"),
        ("UTC", 1_700_000_002.1234567, "2023-11-14T22:13:22.123457Z"),
        ("UTC", 1_700_000_003.9999999, "2023-11-14T22:13:24Z"),
        ("IST-5:30", 1_700_000_005.25, "2023-11-15T03:43:25.25+05:30"),
        ("NST3:30", 1_700_000_006, "2023-11-14T18:43:26-03:30"),
        ("UTC", -1.5, "1969-12-31T23:59:58.5Z"),
    ],
    indirect=["zone"],
)
@pytest.mark.usefixtures("zone")
def test_times_are_local_and_end_without_idle_zeros(time_s: float, text: str) -> None:
    assert rfc3339(time_s) == text
    assert rfc3339(time_s) == text


@given(st.integers(0, 2**33 * 10**6))
def test_microseconds_are_kept(microseconds: int) -> None:
    text = rfc3339(microseconds / 10**6)
    fraction = text[19:].rstrip("Z").split("+")[0].split("-")[0]
    assert int(fraction[1:].ljust(6, "0") or "0") == microseconds % 10**6
