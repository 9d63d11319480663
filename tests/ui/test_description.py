"""The banner and the description block."""

from __future__ import annotations

from jsrunner.options.segment import Striping, parse_segment
from jsrunner.ui.description import banner, description


def test_description() -> None:
    text = description(
        place="local",
        script="x.js",
        outputs=["json (a.json)", "csv (b.csv)"],
        scenarios={"first": "4 looping VUs for 1s", "second": "2 iterations (startTime: 500ms)"},
        longest=600.5,
        striping=Striping(None, None),
        max_vus=5,
        color=False,
    )
    assert text == (
        "     execution: local\n"
        "        script: x.js\n"
        "        output: json (a.json), csv (b.csv)\n"
        "\n"
        "     scenarios: (100.00%) 2 scenarios, 5 max VUs, 10m0.5s max duration "
        "(incl. graceful stop):\n"
        "              * first: 4 looping VUs for 1s\n"
        "              * second: 2 iterations (startTime: 500ms)\n"
        "\n"
    )


def test_description_of_a_segment() -> None:
    text = description(
        place="local",
        script="-",
        outputs=[],
        scenarios={"default": "1 looping VUs for 1s (gracefulStop: 30s)"},
        longest=31.0,
        striping=Striping(parse_segment("0:1/3"), None),
        max_vus=1,
        color=True,
    )
    assert "        output: \x1b[36m-\x1b[0m\n" in text
    assert "scenarios: \x1b[36m(33.33%)\x1b[0m 1 scenario, 1 max VUs, 31s max duration" in text
    assert "* default: 1 looping VUs for 1s (gracefulStop: 30s)\n" in text


def test_banner() -> None:
    lines = banner("1.2.3", color=False).split("\n")
    assert lines[0] == lines[-1] == lines[-2] == ""
    assert len(lines) == 6
    assert lines[3].endswith("  1.2.3")
    assert max(map(len, lines)) <= 40
    assert "\x1b[36m" in banner("1.2.3", color=True)
