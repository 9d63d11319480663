"""Our equivalents of k6-utils and k6-summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.script import jslib

if TYPE_CHECKING:
    from conftest import Project


@pytest.fixture
def values(project: Project) -> Any:
    def values(library: str, names: str, *expressions: str) -> list[Any]:
        text = jslib.equivalent(f"https://jslib.k6.io/{library}/1.0.0/index.js")
        assert text is not None
        logged = project.init(
            {
                "lib.js": text.decode(),
                "main.js": f"import {{ {names} }} from './lib.js'; import exec from 'k6/execution';"
                f"for (const get of [{', '.join(f'() => ({one})' for one in expressions)}]) {{"
                "let value; try { value = get(); } catch (e) { value = `${e}`; }"
                "console.log(JSON.stringify(value)); } export default function () {}",
            }
        )
        return [json.loads(one) for one in logged]

    return values


def test_addresses() -> None:
    for url in (
        "https://jslib.k6.io/k6-utils/1.1.0/index.js",
        "https://jslib.k6.io/k6-summary/0.0.1/index.js?x",
    ):
        assert jslib.equivalent(url)
    for url in (
        "https://jslib.k6.io/url/1.0.0/index.js",
        "https://jslib.k6.io/k6-utils/index.js",
        "https://other.test/k6-utils/1.1.0/index.js",
    ):
        assert jslib.equivalent(url) is None


def test_random_things(values: Any) -> None:
    numbers, one, text, chosen, plain, unlike, secure = values(
        "k6-utils",
        "randomIntBetween, randomItem, randomString, uuidv4",
        "[...new Set(Array.from({ length: 500 }, () => randomIntBetween(2, 5)))].sort()",
        "randomIntBetween(7, 7)",
        "randomString(200)",
        "[randomString(20, 'x'), randomItem(['y'])]",
        "uuidv4()",
        "uuidv4() !== uuidv4()",
        "uuidv4(true)",
    )
    assert numbers == [2, 3, 4, 5]
    assert one == 7
    assert len(text) == 200
    assert text.isalpha()
    assert text.islower()
    assert chosen == ["x" * 20, "y"]
    assert unlike
    for uuid in (plain, secure):
        parts = uuid.split("-")
        assert [len(part) for part in parts] == [8, 4, 4, 4, 12]
        assert parts[2][0] == "4"
        assert parts[3][0] in "89ab"


def test_find_between(values: Any) -> None:
    assert values(
        "k6-utils",
        "findBetween",
        "findBetween('<a>1</a><a>2</a>', '<a>', '</a>')",
        "findBetween('<a>1</a><a>2</a><a>', '<a>', '</a>', true)",
        "findBetween('x', '<', '>')",
        "findBetween('x<', '<', '>', true)",
    ) == ["1", ["1", "2"], "", []]


def test_stages(values: Any) -> None:
    stages, durations, wrong = values(
        "k6-utils",
        "normalDistributionStages, parseDuration",
        "normalDistributionStages(10, 60, 4)",
        "['1m30s', '250ms', '1.5h', 7, '12', '1d'].map(parseDuration)",
        "parseDuration('soon')",
    )
    targets = [one["target"] for one in stages]
    assert targets == [1, 6, 10, 6, 1, 0]
    assert sum(int(one["duration"][:-1]) for one in stages) == 60
    assert durations == [90_000, 250, 5_400_000, 7, 12, 86_400_000]
    assert wrong == "Error: 'soon' is no duration"


def test_checks_with_promises(project: Project) -> None:
    text = jslib.equivalent("https://jslib.k6.io/k6-utils/1.5.0/index.js")
    assert text is not None
    project.write({"lib.js": text.decode()})
    source = """import { check, getCurrentStageIndex, tagWithCurrentStageProfile } from './lib.js';
    import exec from 'k6/execution';
    export const options = { stages: [{ duration: '10s', target: 1 }], iterations: undefined };
    export default async function () {
      const plain = check(1, { one: (v) => v === 1, two: false });
      const later = check(1, { three: async (v) => v === 1, four: Promise.resolve(true), five: true });
      console.log(plain, later instanceof Promise, await later, getCurrentStageIndex());
      tagWithCurrentStageProfile();
      console.log(exec.vu.metrics.tags.stage_profile);
      exec.test.abort('enough');
    }"""
    from running import Process

    project.write({"main.js": source})
    run = Process(project.folder, project.folder / "main.js", (), {}, (), None).end()
    assert run.messages("info") == ["false true true 0", "steady"]


def data(**more: Any) -> str:
    checks = [
        {"name": "fine", "path": "::fine", "id": "1", "passes": 4, "fails": 0},
        {"name": "bad", "path": "::bad", "id": "2", "passes": 1, "fails": 2},
    ]
    inner = {"name": "in", "path": "::in", "id": "3", "groups": [], "checks": checks[:1]}
    trend = {"avg": 1.5, "min": 0.0005, "med": 0, "max": 61_000, "p(90)": 1500, "p(95)": 2}
    return json.dumps(
        {
            "root_group": {"name": "", "path": "", "id": "0", "groups": [inner], "checks": checks},
            "metrics": {
                "http_reqs": {"type": "counter", "contains": "default", "values": {"count": 3, "rate": 1.5}},
                "data_sent": {"type": "counter", "contains": "data", "values": {"count": 1234, "rate": 9}},
                "vus": {
                    "type": "gauge", "contains": "default", "values": {"value": 1, "min": 1, "max": 10}
                },
                "checks": {
                    "type": "rate", "contains": "default", "values": {"rate": 0.71428, "passes": 5, "fails": 2}
                },
                "t": {
                    "type": "trend", "contains": "time", "values": trend, "thresholds": {"avg<1": {"ok": False}}
                },
                "t{a:b}": {
                    "type": "trend", "contains": "time", "values": trend, "thresholds": {"avg<9": {"ok": True}}
                },
            },
            **more,
        }
    )  # fmt: skip


def test_text_summary(values: Any) -> None:
    [text] = values(
        "k6-summary", "textSummary", f"textSummary({data()}, {{ indent: ' ', enableColors: false }})"
    )
    assert text.split("\n") == [
        "     ✓ fine",
        "     ✗ bad",
        "      ↳  33% — ✓ 1 / ✗ 2",
        "",
        "     █ in",
        "",
        "       ✓ fine",
        "",
        "     checks......: 71.42% ✓ 5   ✗ 2   ",
        "     data_sent...: 1.2 kB 9 B/s",
        "     http_reqs...: 3      1.5/s",
        "   ✗ t...........: avg=1.5ms min=500ns med=0s max=1m1s p(90)=1.5s p(95)=2ms",
        "   ✓   { a:b }...: avg=1.5ms min=500ns med=0s max=1m1s p(90)=1.5s p(95)=2ms",
        "     vus.........: 1      min=1 max=10",
    ]


def test_text_summary_s_options(values: Any) -> None:
    colored, units, own = values(
        "k6-summary",
        "textSummary",
        f"textSummary({data()})",
        f"textSummary({data(options={'summaryTrendStats': ['max'], 'summaryTimeUnit': 's', 'noColor': True})})",
        f"textSummary({data()}, {{ enableColors: false, summaryTrendStats: ['p(95)', 'count'] }})",
    )
    assert "\x1b[32m    ✓ fine\x1b[0m" in colored
    assert "\x1b" not in units
    assert "t...........: max=61.00s\n" in units
    assert "t...........: p(95)=2ms count=\n" in own


def test_other_functions(values: Any) -> None:
    human, xml = values(
        "k6-summary",
        "humanizeValue, jUnit",
        "[[0.5, 'rate'], [1500, 'trend', 'time'], [12345, 'counter', 'data'], [1.5, 'gauge', 'default']]"
        ".map(([value, type, contains]) => humanizeValue(value, { type, contains }))",
        f"jUnit({data()})",
    )
    assert human == ["50.00%", "1.5s", "12 kB", "1.5"]
    assert 'tests="2" failures="1"' in xml
    assert '<testcase name="t - avg&#60;1"><failure' in xml
