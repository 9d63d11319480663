"""Counter, Gauge, Rate and Trend (k6-surface MT-01 to MT-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from in_process import Stage

from jsrunner.options.model import Options

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import {{ Counter, Gauge, Rate, Trend }} from 'k6/metrics';
const caught = (f) => {{ try {{ return f(); }} catch (e) {{ return `${{e.name}}: ${{e.message}}`; }} }};
const counter = new Counter('my_counter');
const gauge = Gauge('my_gauge');
const rate = new Rate('my_rate');
const trend = new Trend('my_trend', true);
{init}
export function setup() {{ {body} }}
export default function () {{}}
"""


def run(tmp_path: Path, body: str, init: str = "", options: Options | None = None) -> Stage:
    return Stage(tmp_path, SCRIPT.format(body=body, init=init), options=options).run()


def test_values(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        for (const value of [2, -0.5, '3', true, [4]]) counter.add(value);
        for (const value of [5, 1, 3]) gauge.add(value);
        for (const value of [0, 1, false, 'x'.length]) rate.add(value);
        for (const value of [1, 2.5]) trend.add(value, { own: 'tag', n: 1, b: true });
        """,
    )
    assert stage.failure is None
    samples = stage.samples()
    assert samples["my_counter"][0][1] == 9.5
    assert samples["my_gauge"][0][1] == (3, 1, 5)
    assert samples["my_rate"][0][1] == (2, 4)
    [(tags, values)] = samples["my_trend"]
    assert values == [1.0, 2.5]
    assert tags == {"group": "::setup", "own": "tag", "n": "1", "b": "true"}


def test_the_metric_object(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        console.log(counter.name, Object.keys(counter), counter instanceof Counter, trend.add(1), Counter.name);
        try { counter.name = 'x'; } catch (error) { console.log(error.name); }
        """,
    )
    assert stage.logged() == ['my_counter [ "name", "add" ] false true Counter', "TypeError"]


def test_values_that_are_refused(tmp_path: Path) -> None:
    body = """
        const long = { toString: () => 'y'.repeat(120) };
        for (const args of [[], [NaN], [undefined], [null], [{}], ['text'], [long]]) console.log(caught(() => counter.add(...args)));
        console.log(caught(() => counter.add(1, { bad: null })), caught(() => counter.add(1n)).slice(0, 9));
    """
    tail = "a number or a boolean value is expected"
    warnings = [
        f"no value was provided for metric 'my_counter', {tail}",
        *(f"'{shown}' is an invalid value for metric 'my_counter', {tail}"
          for shown in ("NaN", "undefined", "null", "[object Object]", "text",
                        "y" * 50 + "... omitting 20 characters ..." + "y" * 50)),
    ]  # fmt: skip
    stage = run(tmp_path, body)
    assert stage.logged("warning") == warnings
    assert stage.logged() == [
        *["false"] * 7,
        "GoError: cannot add tags for the 'my_counter' custom metric: invalid value for metric tag 'bad': only "
        "String, Boolean and Number types are accepted as a metric tag values TypeError",
    ]
    thrown = run(tmp_path, body, options=Options(throw=True))
    assert thrown.logged("warning") == []
    assert thrown.logged()[:7] == [f"GoError: {one}" for one in warnings]


def test_declarations(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        "texts.forEach((text) => console.log(text)); console.log(caught(() => new Counter('late_one')));",
        """
        const texts = [
          () => new Counter('my_counter').name, () => new Trend('my_counter'), () => new Trend('my_trend'),
          () => new Counter('a'), () => new Counter('1ab'), () => new Counter('x-y'), () => new Counter(),
          () => new Counter('x'.repeat(129)).name.length, () => counter.add(1), () => new Counter('iterations').name,
        ].map(caught);
        """,
    )
    invalid = (
        "GoError: Invalid metric name: '{}'. Metric names must only include up to 128 ASCII letters, numbers, or "
        "underscores and start with a letter or an underscore."
    )
    assert stage.logged() == [
        "my_counter",
        "GoError: metric 'my_counter' already exists but with type counter, instead of trend",
        "GoError: metric 'my_trend' already exists but with a value type time, instead of default",
        invalid.format("a"),
        invalid.format("1ab"),
        invalid.format("x-y"),
        invalid.format(""),
        "129",
        "GoError: Adding to metrics in the init context is not supported",
        "iterations",
        "GoError: metrics must be declared in the init context",
    ]
