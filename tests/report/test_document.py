"""The page of a record: as a file, and as a browser shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from report_lines import lines, row_of

from jsrunner.errors import JsrunnerError
from jsrunner.record.lines import RecordError
from jsrunner.report.document import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chromium import Chromium, Theme

#: Whether all cards have their charts.
DRAWN = "pending.updates.length === 0"
HOSTILE = '</script><img src=x onerror="alert(1)">{{data}}&amp;\'\u2028'


def test_a_report_is_one_file_that_loads_nothing(record: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(record(lines()), str(path))
    text = path.read_text()
    assert len(text) < 1_000_000
    assert "default-src 'none'" in text
    assert "connect-src" not in text
    assert re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", text) == []
    assert "Leon Sorokin" in text


def test_what_cannot_be_read_or_written(record: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        write_report(str(tmp_path / "nothing"), str(tmp_path / "report.html"))
    with pytest.raises(
        JsrunnerError, match=r"could not write the report: open .*no such file or directory"
    ):
        write_report(record(lines()), str(tmp_path / "missing" / "report.html"))


def opened(browser: Chromium, record: str, folder: Path, baseline: str | None = None) -> str:
    """Open the report; the text that the page shows."""
    path = folder / "report.html"
    write_report(record, str(path), baseline)
    browser.open(path.as_uri())
    browser.wait(DRAWN)
    text: str = browser.evaluate("document.body.innerText")
    return text


def headings(browser: Chromium) -> list[str]:
    found: list[str] = browser.evaluate(
        "[...document.querySelectorAll('#charts h2')].map((e) => e.textContent)"
    )
    return found


@pytest.mark.slow
def test_the_verdict_comes_first(browser: Chromium, record: Callable[..., str], tmp_path: Path) -> None:
    text = opened(browser, record(lines()), tmp_path)
    assert text.index("✗ Failed (exit code 99)") < text.index("Thresholds") < text.index("WebSocket")
    assert "crossed at 0:12" in text
    assert re.search(r"✗ crossed\s+ws_ping\s+p\(95\)<80\s+97.4 ms", text)
    assert re.search(r"✓ holds\s+checks\s+rate>0.5\s+0.9", text)
    assert headings(browser) == ["WebSocket", "HTTP", "Custom metrics", "Execution"]
    assert "total 600, 20/s" in text
    assert "p50 96.4 ms" in text
    assert "<b>no</b> answer" in text
    assert re.search(r"error\s+30\s+0:01", text)


@pytest.mark.slow
def test_charts_can_be_split_by_a_tag(
    browser: Chromium, record: Callable[..., str], tmp_path: Path
) -> None:
    opened(browser, record(lines()), tmp_path)
    labels = "[...document.querySelectorAll('.card')].find((e) => e.innerText.startsWith('my_time'))" \
             ".querySelectorAll('.u-legend .u-label').length"  # fmt: skip
    assert browser.evaluate(labels) == 5
    browser.evaluate("(document.querySelector('#split').value = 'room',"
                     " document.querySelector('#split').dispatchEvent(new Event('change')))")  # fmt: skip
    browser.wait(DRAWN)
    assert browser.evaluate(labels) == 3
    browser.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    browser.wait("document.body.innerText.includes('0:29\\t')")
    heads = browser.evaluate("[...document.querySelectorAll('.card th')].map((e) => e.textContent)")
    assert {"time", "a", "b"} <= set(heads)


@pytest.mark.slow
def test_how_sessions_ended(browser: Chromium, record: Callable[..., str], tmp_path: Path) -> None:
    listed = lines()
    for line in listed:
        if line.get("kind") == "step":
            line["sessions"] = {"open": 5, "failed": 1, "closes": [[1000, 2], [4001, 1]]}
    text = opened(browser, record(listed), tmp_path)
    assert re.search(r"WebSocket\s+WebSocket sessions open\s+last 5, min 5, max 5", text)
    assert re.search(r"1000\s+normal closure\s+60\s", text)
    assert re.search(r"4001\s+of the application\s+30\s", text)
    assert re.search(r"handshake failed: the session was never open\s+30\s", text)


@pytest.mark.slow
def test_charts_are_split_by_the_chosen_tags(
    browser: Chromium, record: Callable[..., str], tmp_path: Path
) -> None:
    listed = lines(tags=({"room": "a", "floor": "1"}, {"room": "b", "floor": "2"}))
    offered = "[...document.querySelector('#split').options].map((each) => each.textContent)"
    opened(browser, record(listed), tmp_path)
    assert browser.evaluate(offered) == ["(all together)", "floor", "room"]
    listed[1] = {**listed[1], "split_tags": ["room", "group"]}
    opened(browser, record(listed), tmp_path)
    assert browser.evaluate(offered) == ["(all together)", "room"]


@pytest.mark.slow
def test_hostile_names_are_text(browser: Chromium, record: Callable[..., str], tmp_path: Path) -> None:
    hostile = lines(tags=({HOSTILE: HOSTILE}, {"__proto__": "constructor"}))
    hostile[1] = {
        **hostile[1],
        "script": {"name": HOSTILE, "sha256": HOSTILE},
        "options": {HOSTILE: HOSTILE},
    }
    hostile = [
        {**line, "metric": HOSTILE} if line.get("metric") == "my_time" else {**line, "text": HOSTILE}
        if line.get("kind") in ("log", "message") else line
        for line in hostile
    ]  # fmt: skip
    text = opened(browser, record(hostile), tmp_path)
    assert text.count("</script><img src=x onerror=") >= 4
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    browser.evaluate("(document.querySelector('#split').selectedIndex = 1,"
                     " document.querySelector('#split').dispatchEvent(new Event('change')))")  # fmt: skip
    assert browser.evaluate("document.querySelectorAll('img').length") == 0


@pytest.mark.slow
def test_a_run_that_was_killed(browser: Chromium, record: Callable[..., str], tmp_path: Path) -> None:
    text = opened(browser, record(lines(end=False)), tmp_path)
    assert "The run was killed: this is what it had recorded" in text
    assert "WebSocket" in text


@pytest.mark.slow
def test_a_run_that_measured_nothing(
    browser: Chromium, record: Callable[..., str], tmp_path: Path
) -> None:
    head, run = lines()[:2]
    assert "chat.js" in opened(browser, record([head, run]), tmp_path)


@pytest.mark.slow
def test_a_million_points_are_merged(
    browser: Chromium, record: Callable[..., str], tmp_path: Path
) -> None:
    """A record of a million seconds: charts have as many points as they can show; nothing is lost."""
    few = [line for line in lines(seconds=0, tags=({"room": "a"},)) if "metric" not in line]
    series = [
        {"kind": "series", "number": number, "metric": metric, "type": type_, "contains": "default",
         "tags": {"room": "a"}}
        for number, (metric, type_) in enumerate((("my_time", "trend"), ("my_count", "counter")))
    ]  # fmt: skip
    rows = [row_of(0, "trend"), row_of(1, "counter")]
    steps = [{"kind": "step", "at": at, "rows": rows} for at in range(1_000_000)]
    text = opened(browser, record([*few[:2], *series, *steps]), tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    assert "2000000 values" in text
    assert "total 10 M" in text
    points = "[...cards.values()].map((card) => card.plot.data.map((each) => each.length))"
    assert {length for card in browser.evaluate(points) for length in card} <= set(range(300, 721))
    cells = "[...document.querySelectorAll('canvas.heat')].map((each) => each.width)"
    assert max(browser.evaluate(cells)) <= 720
    browser.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    browser.wait("document.querySelector('.card table tbody').rows.length > 0")
    assert browser.evaluate("document.querySelector('.card table tbody').rows.length") <= 60


@pytest.mark.slow
def test_a_report_of_many_series_has_a_bounded_size(record: Callable[..., str], tmp_path: Path) -> None:
    """300 trends with large sketches: buckets and steps are merged until the report can be mailed."""
    tags = tuple({"room": str(number)} for number in range(150))
    listed = lines(seconds=0, tags=tags, end=False)
    trends = [line["number"] for line in listed if line.get("type") == "trend"]
    packed = [0x4280, 1] + [1, 1] * 59
    steps = [
        {"kind": "step", "at": at, "rows": [[number, 60, 6000, 64, 129, packed] for number in trends]}
        for at in range(400)
    ]  # fmt: skip
    write_report(record([*listed, *steps]), str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").stat().st_size < 15_000_000


@pytest.mark.slow
def test_the_page_merges_steps_itself(
    browser: Chromium, record: Callable[..., str], tmp_path: Path
) -> None:
    """A page that follows a run of a million seconds keeps a bounded number of steps, and nothing else."""
    opened(browser, record(lines(seconds=1)), tmp_path)
    counter, trend = row_of(0, "counter"), row_of(4, "trend")
    browser.evaluate(
        "for (let at = 1; at < 1000000; at++) "
        f"model.take({{kind: 'step', at, rows: [{counter}, {trend}]}})"
    )
    assert browser.evaluate("model.steps.length") <= 1200
    assert browser.evaluate("model.total('counter', [0])[0]") == 10_000_000
    added = "model.rows('{}', [{}]).reduce((sum, row) => sum + row[0], 0)"
    assert browser.evaluate(added.format("counter", 0)) == 10_000_000
    assert browser.evaluate(added.format("trend", 4)) == 2_000_000
    browser.evaluate("redraw()")
    browser.wait(DRAWN)
    points = "Math.max(...[...cards.values()].map((card) => card.plot.data[0].length))"
    assert browser.evaluate(points) <= 1200


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_all(
    browser: Chromium, record: Callable[..., str], tmp_path: Path, theme: Theme
) -> None:
    browser.theme(theme)
    browser.phone(390, 800)
    opened(browser, record(lines()), tmp_path)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    contrast: Any = browser.evaluate(CONTRAST)
    assert contrast >= 4.5


#: The smallest contrast of texts with the page's background, by WCAG 2.
CONTRAST = """(() => {
  const light = (css) => {
    const [r, g, b] = css.match(/[\\d.]+/g).slice(0, 3).map((v) => {
      const c = v / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll('body *')].filter((e) => e.innerText).map((e) => {
    const front = light(getComputedStyle(e).color);
    return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  }));
})()"""


@pytest.mark.slow
def test_a_baseline_is_laid_over(browser: Chromium, record: Callable[..., str], tmp_path: Path) -> None:
    text = opened(browser, record(lines()), tmp_path, record(lines(seconds=10), "base.jsr"))
    assert text.count("baseline p95") == 2
