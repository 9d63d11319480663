"""k6/execution (k6-surface EX-01 to EX-17), in whole runs and in one stage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from in_process import Stage
from running import Process

if TYPE_CHECKING:
    from pathlib import Path


def test_numbers(tmp_path: Path) -> None:
    process = Process(
        tmp_path,
        """
        import exec, { scenario, vu } from 'k6/execution';
        import { sleep } from 'k6';
        const one = (startTime) => ({ executor: 'per-vu-iterations', vus: 2, iterations: 3, startTime, exec: 'run' });
        export const options = { scenarios: { first: one('0s'), second: one('0.3s') } };
        export function run() {
          console.log(JSON.stringify([scenario.name, vu.idInTest, vu.iterationInInstance, vu.iterationInScenario,
            scenario.iterationInTest, __ITER, exec.scenario.executor, exec.instance.vusInitialized]));
          sleep(0.01);
        }
        """,
        ("--workers", "2"), {}, (), -3,
    ).end()  # fmt: skip
    assert process.code == 0, process.stderr
    rows = [json.loads(one) for one in process.messages("info")]
    for name in ("first", "second"):
        mine = [row for row in rows if row[0] == name]
        assert sorted(row[4] for row in mine) == list(range(6))
        for number in {row[1] for row in mine}:
            assert [row[3] for row in mine if row[1] == number] == [0, 1, 2]
    assert all(row[2] == row[5] for row in rows)
    assert {row[6] for row in rows} == {"per-vu-iterations"}


def test_tags_and_metadata(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        """
        import exec from 'k6/execution';
        import { check } from 'k6';
        export function setup() {
          const { tags, metadata } = exec.vu.metrics;
          check(1, { before: true });
          tags.a = 1; tags.b = true; metadata.c = 'x';
          check(1, { with: true });
          console.log(tags.a, typeof tags.b, 'a' in tags, 'z' in tags, Object.keys(tags), exec.vu.tags.a, metadata.c);
          delete tags.a;
          check(1, { after: true });
          for (const value of [null, {}, [], Symbol('s')]) {
            for (const labels of [tags, metadata]) { try { labels.x = value; } catch (e) { console.log(e.name, e.message); } }
          }
        }
        export default function () {}
        """,
    ).run()
    assert stage.failure is None
    assert stage.logged()[0] == '1 string true false [ "a", "b", "group" ] 1 x'
    texts = set(stage.logged()[1:])
    assert texts == {
        "TypeError invalid value for metric tag 'x': only String, Boolean and Number types are accepted as a "
        "metric tag values",
        "TypeError invalid value for metric metadata 'x': only String, Boolean and Number types are accepted as a "
        "metric metadata value",
    }
    tags = {one["check"]: one for one, _ in stage.samples()["checks"]}
    assert "a" not in tags["before"]
    assert (tags["with"]["a"], tags["with"]["b"]) == ("1", "true")
    assert "a" not in tags["after"]


def test_what_is_refused_where(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        """
        import exec from 'k6/execution';
        const caught = (f) => { try { return f(); } catch (e) { return `${e.name}: ${e.message}`; } };
        const texts = [() => exec.vu.idInTest, () => exec.scenario.name, () => exec.instance.vusActive,
          () => exec.test.options, () => exec.test.fail()].map(caught);
        export function setup() {
          texts.push(caught(() => exec.scenario.name), String(exec.vu.idInTest), String(exec.vu === exec.vu),
            caught(() => { exec.vu.idInTest = 5; }).slice(0, 9), caught(() => { exec.instance.vusActive = 1; }).slice(0, 9));
          texts.forEach((text) => console.log(text));
        }
        export default function () {}
        """,
    ).run()
    assert stage.logged() == [
        "GoError: getting VU information in the init context is not supported",
        "GoError: getting scenario information outside of the VU context is not supported",
        "0",  # the init code that runs for setup() knows the instance already, in k6 too
        "GoError: getting test options in the init context is not supported",
        "GoError: execution.test.fail() called outside of VU context",
        "GoError: getting scenario information outside of the VU context is not supported",
        "0",
        "false",
        "TypeError",
        "TypeError",
    ]
