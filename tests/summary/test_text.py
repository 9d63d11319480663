"""The summary's text, whole ones compared as they are (k6-surface SU-01 to SU-19)."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.metrics.registry import BUILTIN
from jsrunner.metrics.sinks import TrendSink
from jsrunner.metrics.store import Entry, Store
from jsrunner.metrics.thresholds import parse_thresholds
from jsrunner.summary.model import build
from jsrunner.summary.text import render

if TYPE_CHECKING:
    from collections.abc import Callable


def text(run: Any, mode: str = "compact", *, color: bool = False, **more: Any) -> str:
    return render(run.summary(**more), mode=mode, color=color)


def drawn(expected: str) -> str:
    """A text as it is drawn here, where `|` ends the lines that have blanks at their ends."""
    return expected.strip("\n").replace("|", "")


def test_compact(measured: Callable[..., Any]) -> None:
    run = measured(
        {
            "latency": ["max<1000", "p(99.9)<2000", " avg < 2 "],
            "cache_hits": ["rate>0.1"],
            "things_done": ["rate<1", "count>=20"],
            "things_done{kind:b}": ["count>1"],
            "level{deep:yes}": ["value<1"],
        }
    )
    for name, type_, contains in (
        ("things_done", "counter", "default"),
        ("level", "gauge", "default"),
        ("cache_hits", "rate", "default"),
        ("latency", "trend", "time"),
        ("points", "trend", "default"),
    ):
        run.declare(name, type_, contains)
    run.add("things_done", 5, 5, 5, 5, kind="a")
    run.add("level", 7.5, 12, 3)
    run.add("cache_hits", 1, 0)
    run.add("latency", 1500, 2.5)
    run.add("points", 3, 3.25)
    run.check("in group", 4, group="::pages")
    run.check("always fine", 4)
    run.check("sometimes", 3, 1)
    run.add("group_duration", 12.0, group="::pages")
    run.add("iteration_duration", 61_500, 90_000)
    run.add("iterations", 4)
    run.add("vus", 3, 10)
    run.add("data_sent", 566)
    run.add("data_received", 12_345)
    run.add("ws_sessions", 4)
    run.add("http_reqs", 2)
    run.add("http_req_duration", 0.5)
    run.add("http_req_waiting", 0.5)
    expected = drawn("""
  █ THRESHOLDS |

    cache_hits
    ✓ 'rate>0.1' rate=50.00%

    latency
    ✗ 'max<1000' max=1.5s
    ✓ 'p(99.9)<2000' p(99.9)=1.49s
    ✗ 'avg < 2' avg=751.25ms

    level{deep:yes}
    ✓ 'value<1' value=0

    things_done
    ✗ 'rate<1' rate=2/s
    ✓ 'count>=20' count=20

      {kind:b}
      ✗ 'count>1' count=0


  █ TOTAL RESULTS |

    checks_total.......: 12     1.2/s
    checks_succeeded...: 91.66% 11 out of 12
    checks_failed......: 8.33%  1 out of 12

    ✓ in group
    ✓ always fine
    ✗ sometimes
      ↳  75% — ✓ 3 / ✗ 1

    CUSTOM
    cache_hits...........: 50.00% 1 out of 2
    latency..............: avg=751.25ms min=2.5ms med=751.25ms max=1.5s  p(90)=1.35s p(95)=1.42s |
    level................: 3      min=3      max=12
      { deep:yes }.......: 0      min=0      max=0 |
    points...............: avg=3.125    min=3     med=3.125    max=3.25  p(90)=3.225 p(95)=3.2375
    things_done..........: 20     2/s
      { kind:b }.........: 0      0/s

    HTTP
    http_req_duration....: avg=500µs    min=500µs med=500µs    max=500µs p(90)=500µs p(95)=500µs |
    http_reqs............: 2      0.2/s

    EXECUTION
    iteration_duration...: avg=1m15s    min=1m1s  med=1m15s    max=1m30s p(90)=1m27s p(95)=1m28s |
    iterations...........: 4      0.4/s
    vus..................: 10     min=3      max=10

    NETWORK
    data_received........: 12 kB  1.2 kB/s
    data_sent............: 566 B  57 B/s

    WEBSOCKET
    ws_sessions..........: 4      0.4/s
""")
    assert text(run) == expected


def test_full(measured: Callable[..., Any]) -> None:
    run = measured()
    run.declare("clicks", "counter")
    run.add("clicks", 1, scenario="alpha")
    run.check("at root", 2, scenario="alpha")
    run.check("in first", 1, 1, scenario="alpha", group="::first")
    run.check("deep", 2, scenario="alpha", group="::first::nested")
    run.add("clicks", 2, scenario="alpha", group="::first")
    run.add("group_duration", 3.0, scenario="alpha", group="::first")
    run.check("mine", 1, scenario="default", group="::home")
    run.add("clicks", 4, scenario="default", group="::home::page")
    run.check("at root", 0, 3, scenario="Beta")
    run.add("iterations", 3, scenario="Beta")
    run.add("http_req_waiting", 2, scenario="Beta")
    run.add("clicks", 8, group="::setup")
    expected = """
  █ TOTAL RESULTS |

    checks_total.......: 10     1/s
    checks_succeeded...: 60.00% 6 out of 10
    checks_failed......: 40.00% 4 out of 10

    ✗ at root
      ↳  40% — ✓ 2 / ✗ 3
    ✗ in first
      ↳  50% — ✓ 1 / ✗ 1
    ✓ deep
    ✓ mine

    CUSTOM
    clicks.............: 15 1.5/s

    HTTP
    http_req_waiting...: avg=2ms

    EXECUTION
    iterations.........: 3  0.3/s


  █ GROUP: home |

    checks_total.......: 1       0.1/s
    checks_succeeded...: 100.00% 1 out of 1
    checks_failed......: 0.00%   0 out of 1

    ✓ mine

    ↳ GROUP: page |

      CUSTOM
      clicks...: 4 0.4/s


  █ SCENARIO: alpha |

    checks_total.......: 6      0.6/s
    checks_succeeded...: 83.33% 5 out of 6
    checks_failed......: 16.66% 1 out of 6

    ✓ at root
    ✗ in first
      ↳  50% — ✓ 1 / ✗ 1
    ✓ deep

    CUSTOM
    clicks...: 3 0.3/s

    ↳ GROUP: first |

      checks_total.......: 2      0.2/s
      checks_succeeded...: 50.00% 1 out of 2
      checks_failed......: 50.00% 1 out of 2

      ✗ in first
          ↳  50% — ✓ 1 / ✗ 1

      CUSTOM
      clicks...: 2 0.2/s

      ↳ GROUP: nested |

        checks_total.......: 2       0.2/s
        checks_succeeded...: 100.00% 2 out of 2
        checks_failed......: 0.00%   0 out of 2

        ✓ deep


  █ SCENARIO: Beta |

    checks_total.......: 3       0.3/s
    checks_succeeded...: 0.00%   0 out of 3
    checks_failed......: 100.00% 3 out of 3

    ✗ at root
      ↳  0% — ✓ 0 / ✗ 3

    HTTP
    http_req_waiting...: avg=2ms

    EXECUTION
    iterations.........: 3 0.3/s
"""
    assert text(run, "full", trend_stats=("avg",)) == drawn(expected)


def test_a_section_aligns_its_own_columns(measured: Callable[..., Any]) -> None:
    run = measured()
    for name, type_ in (("a_rather_long_name", "counter"), ("g1", "gauge"), ("g2", "gauge")):
        run.declare(name, type_)
    run.add("a_rather_long_name", 1_000_000)
    run.add("g1", 5)
    run.add("g2", 10, -2.5)
    assert text(run).splitlines()[2:] == [
        "    CUSTOM",
        "    a_rather_long_name...: 1000000 100000/s",
        "    g1...................: 5       min=5    max=5 ",
        "    g2...................: -2.5    min=-2.5 max=10",
    ]


def test_blocks_go_by_the_beginnings_of_names(measured: Callable[..., Any]) -> None:
    run = measured()
    names = (
        "ws_mine", "grpc_mine", "browser_mine", "browser_web_vital_mine", "vus_mine", "iterations_mine",
        "http_reqs_mine", "http_foo", "http_request_count", "iteration_errors", "data_sent_mine",
        "checks_mine", "group_duration_mine", "http_req_waiting_mine", "mine",
    )  # fmt: skip
    for name in names:
        run.declare(name, "counter")
        run.add(name, 1)
    blocks: dict[str, list[str]] = {}
    for line in text(run).splitlines()[2:]:
        if line.isupper() or line.strip() == "WEB_VITALS":
            block = blocks.setdefault(line.strip(), [])
        elif line:
            block.append(line.split(".")[0].strip())
    assert list(blocks.items()) == [
        ("CUSTOM", ["http_foo", "http_request_count", "iteration_errors", "mine"]),
        ("HTTP", ["http_reqs_mine"]),
        ("EXECUTION", ["iterations_mine", "vus_mine"]),
        ("NETWORK", ["data_sent_mine"]),
        ("BROWSER", ["browser_mine"]),
        ("WEB_VITALS", ["browser_web_vital_mine"]),
        ("GRPC", ["grpc_mine"]),
        ("WEBSOCKET", ["ws_mine"]),
    ]
    assert "http_req_waiting_mine" in text(run, "full")
    assert "checks_mine" not in text(run, "full")


def test_names_are_sorted_as_people_do_and_sub_metrics_follow_their_metric(
    measured: Callable[..., Any],
) -> None:
    run = measured({"b_1{z:1}": [], "b_1{A:1}": [], "b_1{a:1}": []})
    for name in ("Zeta", "alpha", "Alpha", "a_b", "a1", "ab", "B2", "b_1"):
        run.declare(name, "counter")
        run.add(name, 1)
    shown = [line.split(".")[0].strip() for line in text(run).splitlines()[3:]]
    assert shown == [
        "a_b", "a1", "ab", "alpha", "Alpha", "b_1", "{ a:1 }", "{ A:1 }", "{ z:1 }", "B2", "Zeta",
    ]  # fmt: skip


def test_stats_of_choice(measured: Callable[..., Any]) -> None:
    run = measured({"tt": ["max<1", "p(99.99)<1"]})
    run.declare("tt", "trend", "time")
    run.add("tt", 1, 2)
    assert text(run, trend_stats=("count", "p(99.99)"), time_unit="us").splitlines()[2:] == [
        "    tt",
        "    ✗ 'max<1' max=",
        "    ✗ 'p(99.99)<1' p(99.99)=1999.90µs",
        "",
        "",
        "  █ TOTAL RESULTS ",
        "",
        "    CUSTOM",
        "    tt...: count=2 p(99.99)=1999.90µs",
    ]
    assert text(run, trend_stats=()).splitlines()[-1] == "    tt...: "


def test_percentiles_of_thresholds_are_shown_even_if_no_column_has_them(
    measured: Callable[..., Any],
) -> None:
    run = measured({"tt": ["p(50)<1"]})
    run.declare("tt", "trend")
    run.add("tt", 1, 2)
    assert "✗ 'p(50)<1' p(50)=1.5" in text(run, trend_stats=("avg",))


def test_checks_without_names(measured: Callable[..., Any]) -> None:
    run = measured()
    run.add("checks", 1, 0)
    assert text(run).splitlines()[2:] == [
        "    checks_total.......: 2      0.2/s",
        "    checks_succeeded...: 50.00% 1 out of 2",
        "    checks_failed......: 50.00% 1 out of 2",
    ]


def test_a_run_of_no_time_has_no_rates(measured: Callable[..., Any]) -> None:
    run = measured()
    run.check("fine", 1)
    run.add("iterations", 1)
    shown = text(run, duration=0.0)
    assert "checks_total.......: 1       0/s" in shown
    assert "iterations...: 1 0/s" in shown


def test_nothing_measured(measured: Callable[..., Any]) -> None:
    assert text(measured()) == "  █ TOTAL RESULTS "


def test_colors(measured: Callable[..., Any]) -> None:
    run = measured({"cc": ["count>1", "count>9"]})
    run.declare("cc", "counter")
    run.add("cc", 5)
    run.check("fine", 1)
    run.check("bad", 0, 1)
    bold, green, red, white, cyan, faint, dots, off = (
        f"\x1b[{code}m" for code in ("1", "32", "31", "37", "36", "2;36", "2;37", "0")
    )
    shown = text(run, color=True).splitlines()
    assert shown[0] == f"  █ {bold}THRESHOLDS{off} "
    assert shown[3] == f"    {green}✓{off} {white}'count>1'{off} {white}count{off}={cyan}5{off}"
    assert shown[4] == f"    {red}✗{off} {white}'count>9'{off} {white}count{off}={cyan}5{off}"
    assert f"    checks_total{dots}.......:{off} {cyan}2{off}      {faint}0.2/s{off}" in shown
    assert f"    {green}✓ fine{off}" in shown
    assert f"    {red}✗ bad{off}" in shown
    assert f"      {red}↳  0% — ✓ 0 / ✗ 1{off}" in shown
    assert f"    {bold}CUSTOM{off}" in shown
    assert f"    cc{dots}...:{off} {cyan}5{off} {faint}0.5/s{off}" in shown


class ShortTrend(TrendSink):
    """A trend that keeps one value."""

    __slots__ = ()
    exact_limit = 1


@pytest.mark.parametrize("mode", ["compact", "full"])
def test_figures_from_buckets_are_told_to_be_such(mode: str) -> None:
    thresholds = parse_thresholds({})
    store = Store(thresholds, system_tags=frozenset())
    for name in ("ws_ping", "ws_connecting"):
        sink = ShortTrend()
        sink.extend(array("d", [1, 2]))
        store.entries[name] = Entry(BUILTIN[name], sink)
    data = build(store, thresholds, trend_stats=("avg",), time_unit="", duration=1.0)
    assert render(data, mode=mode, color=False).splitlines()[-2:] == [
        "",
        "  The percentiles of ws_ping, ws_connecting come from buckets that are 0.1 % wide: there were "
        "too many values to keep.",
    ]


def test_infinite_values_can_be_shown(measured: Callable[..., Any]) -> None:
    run = measured()
    for name, contains in (("plain", "default"), ("times", "time"), ("sizes", "data")):
        run.declare(name, "trend", contains)
        run.add(name, float("inf"), float("-inf"))
    assert [line.strip() for line in text(run, trend_stats=("max", "avg")).splitlines()[3:]] == [
        "plain...: max=Infinity   avg=NaN",
        "sizes...: max=Infinity B avg=NaN B",
        "times...: max=Infinity   avg=NaN",
    ]
