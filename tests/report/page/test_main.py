"""The page in all media: contrast of its colors, the keyboard, paper, the widths of charts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from report_lines import lines

from jsrunner.report import document
from jsrunner.report.document import write_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from chromium import Chromium, Theme

STYLE = (Path(document.__file__).parent / "page" / "page.css").read_text()
#: Colors of texts, which need a contrast of 4.5 with their background, and of lines, which need 3 (WCAG 2.2,
#: 1.4.3 and 1.4.11).
TEXTS = ("front", "soft", "good", "bad", "warn")
LINES = tuple(f"c{number}" for number in range(8))


def luminance(color: str) -> float:
    """The relative luminance of a color such as `#fff` or `#106b35`, by WCAG 2."""
    digits = color.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def palettes() -> list[dict[str, str]]:
    """The colors by name: of the light theme, of the dark one, of paper."""
    return [
        dict(re.findall(r"--(\w+): (#[0-9a-f]+);", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    ]


def test_there_are_three_palettes() -> None:
    names = [set(palette) for palette in palettes()]
    assert len(names) == 3
    assert names[0] == names[1] == names[2] >= {*TEXTS, *LINES, "back", "card"}


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark", "paper"])
def test_the_contrast_of_colors(palette: dict[str, str]) -> None:
    for background in (palette["back"], palette["card"]):
        assert min(contrast(palette[name], background) for name in TEXTS) >= 4.5
        assert min(contrast(palette[name], background) for name in LINES) >= 3


def test_the_contrast_of_black_and_white() -> None:
    assert contrast("#000", "#ffffff") == 21
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)


@pytest.fixture
def page(browser: Chromium, record: Callable[..., str], tmp_path: Path) -> Chromium:
    """A report that is open."""
    write_report(record(lines()), str(tmp_path / "report.html"))
    browser.open((tmp_path / "report.html").as_uri())
    browser.wait("pending.updates.length === 0")
    return browser


#: Charts that are wider than their cards.
TOO_WIDE = """[...document.querySelectorAll('.card')].filter((card) => {
  const right = card.getBoundingClientRect().right;
  return [...card.querySelectorAll('canvas')].some((each) => each.getBoundingClientRect().right > right);
}).map((card) => card.querySelector('h3').textContent)"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 800, 1200, 2000])
def test_charts_are_as_wide_as_their_cards(
    browser: Chromium, record: Callable[..., str], tmp_path: Path, width: int
) -> None:
    """Also the first chart of a section, whose card is alone at first."""
    write_report(record(lines()), str(tmp_path / "report.html"))
    browser.size(width)
    browser.open((tmp_path / "report.html").as_uri())
    browser.wait("pending.updates.length === 0")
    assert browser.evaluate(TOO_WIDE) == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.size(max(width // 2, 390))
    browser.wait(f"({TOO_WIDE}).length === 0")


@pytest.mark.slow
def test_the_page_without_a_mouse(page: Chromium) -> None:
    """Tab comes by everything that does something; Enter and the arrows do it."""
    page.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the charts"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    page.wait("location.hash === '#charts'")
    reached = []
    for _ in range(60):
        page.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        if reached[-1] == "BODY":
            break
    count = page.evaluate("document.querySelectorAll('#charts summary').length")
    assert reached.count("SUMMARY") >= count > 0
    page.evaluate("document.querySelector('#charts summary').focus()")
    page.press("Enter")
    page.wait("document.querySelector('#charts details').open")
    page.wait("document.querySelector('#charts details table') !== null")
    page.evaluate("document.querySelector('#split').focus()")
    page.press("ArrowDown")
    page.wait("document.querySelector('#split').value === 'room'")
    page.wait("[...cards.values()].some((card) => card.lines.some((line) => line.label === 'a'))")


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_on_paper(page: Chromium, theme: Theme) -> None:
    """Paper is white in both themes, charts fit, nothing is cut off, what only a screen needs is gone."""
    with page.paper(theme):
        page.size(740)
        page.wait("[...cards.values()].every((card) => card.shape.includes('#000'))")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 740
        for gone in ("#controls", ".skip", ".card details"):
            style = f"getComputedStyle(document.querySelector('{gone}')).display"
            assert page.evaluate(style) == "none"
        assert page.pdf().startswith(b"%PDF-")


@pytest.mark.slow
def test_thresholds_and_heat_are_drawn(page: Chromium) -> None:
    """The threshold `p(95)<80` is a line in the color of what is bad, at 80; the heat map has cells."""
    reds = """(() => {
      const { plot } = cards.get('ws_ping'), { ctx } = plot, { left, width } = plot.bbox;
      const y = Math.round(plot.valToPos(80, 'y', true));
      const [red, green, blue] = color('bad').match(/\\w\\w/g).map((digits) => parseInt(digits, 16));
      let count = 0;
      const data = ctx.getImageData(left, y - 2, width, 4).data;
      for (let at = 0; at < data.length; at += 4)
        count += Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue) < 60;
      return count;
    })()"""
    assert page.evaluate(reds) > 50
    filled = """[...document.querySelectorAll('canvas.heat')].map((each) => {
      const data = each.getContext('2d').getImageData(0, 0, each.width, each.height).data;
      return data.filter((value, at) => at % 4 === 3 && value > 0).length;
    })"""
    # Two buckets in each of 30 steps.
    assert page.evaluate(filled) == [60, 60]


@pytest.mark.slow
def test_thresholds_have_values_before_the_end(
    browser: Chromium, record: Callable[..., str], tmp_path: Path
) -> None:
    listed = lines(end=False)
    more = [
        ("ws_ping", "avg", {}), ("ws_ping", "max", {}), ("ws_ping", "med", {"room": "a"}), ("vus", "value", {}),
        ("ws_sessions", "count", {}), ("ws_sessions", "rate", {"room": "b"}), ("http_reqs", "count", {"room": "c"}),
    ]  # fmt: skip
    listed[1] = {
        **listed[1],
        "thresholds": [
            *listed[1]["thresholds"],
            *({"key": metric, "metric": metric, "tags": tags, "source": f"{name}<1", "aggregation": name,
               "operator": "<", "value": 1} for metric, name, tags in more),
        ],
    }  # fmt: skip
    write_report(record(listed), str(tmp_path / "report.html"))
    browser.open((tmp_path / "report.html").as_uri())
    browser.wait("pending.updates.length === 0")
    cells = browser.evaluate(
        "[...document.querySelectorAll('#thresholds tbody tr')].map((row) => row.cells[3].textContent)"
    )
    assert cells == ["128.5 ms", "0.9", "96 ms", "129 ms", "96.4 ms", "2", "600", "10", "–"]


@pytest.mark.slow
def test_long_updates_give_way(page: Chromium) -> None:
    """Cards that take long are not updated in one go; a new choice takes the place of the last one."""
    page.evaluate(
        "(globalThis.order = [], globalThis.busy = (name) => () => {"
        " const end = performance.now() + 60; while (performance.now() < end); order.push(name); })"
    )
    assert page.evaluate("(runUpdates(['a', 'b', 'c'].map(busy)), order.join())") == "a"
    page.evaluate("runUpdates(['d', 'e'].map(busy))")
    page.wait("pending.updates.length === 0")
    assert page.evaluate("order.slice(-2).join()") == "d,e"
    assert not page.evaluate("order.includes('c') && order.indexOf('c') > order.indexOf('d')")
