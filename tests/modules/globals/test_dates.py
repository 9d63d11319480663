"""Dates as text, in time zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("UTC", "00:00:00 GMT+0000 (UTC)", "10:20:30 GMT+0000 (UTC)"),
        ("America/New_York", "19:00:00 GMT-0500 (EST)", "06:20:30 GMT-0400 (EDT)"),
        ("Asia/Dubai", "04:00:00 GMT+0400 (+04)", "14:20:30 GMT+0400 (+04)"),
    ],
    indirect=["zone"],
)
def test_the_zone_has_its_name(
    run: Callable[..., list[str]], zone: None, winter: str, summer: str
) -> None:
    assert run("""
        const days = [new Date(1704067200000), new Date(1719829230000)];
        for (const day of days) console.log(day.toTimeString());
        for (const day of days) console.log(String(day).slice(16) === day.toTimeString(), `${day}` === day.toString());
        console.log(days[1].toLocaleTimeString());
    """) == [winter, summer, "true true", "true true", summer[:8]]


def test_dates_that_are_none(run: Callable[..., list[str]]) -> None:
    assert run("""
        console.log(String(new Date(NaN)), new Date('x').toTimeString());
        for (const name of ['toString', 'toTimeString']) {
          try {
            Date.prototype[name].call({});
          } catch (e) {
            console.log(e.name);
          }
        }
        console.log(Date.prototype.toString.length, Date.prototype.toString.name);
    """) == ["Invalid Date Invalid Date", "TypeError", "TypeError", "0 toString"]
