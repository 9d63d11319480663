"""check, fail, group, randomSeed and sleep (k6-surface K6-01 to K6-15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from in_process import Stage

if TYPE_CHECKING:
    from pathlib import Path

IMPORT = "import { check, fail, group, randomSeed, sleep } from 'k6';\n"


def run(tmp_path: Path, body: str, init: str = "") -> Stage:
    stage = Stage(
        tmp_path,
        IMPORT
        + "const caught = (f) => { try { return f(); } catch (e) { return `${e.name}: ${e.message}`; } };\n"
        + f"{init}\nexport async function setup() {{ {body} }}\nexport default function () {{}}",
    )
    return stage.run()


def test_check(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        console.log(check(5, { five: (v) => v === 5, truthy: 'x', falsy: 0, promise: () => Promise.resolve(false) }));
        console.log(check(1, {}), check(1, ['a', ''], { tag: 7 }), check(1, 'ab'));
        check(1, { self() { console.log(this === undefined, arguments.length); return true; } });
        console.log(caught(() => check(1)), '|', caught(() => check(1, null)));
        console.log(caught(() => check(1, { 'a::b': true })), '|', caught(() => check(1, { f: async () => {} })).slice(0, 70));
        console.log(caught(() => check(1, { ok: true, bad: () => { throw new Error('inside'); }, later: true })));
        console.log(caught(() => check(1, { ok: true }, { bad: {} })));
        """,
    )
    assert stage.failure is None
    assert stage.logged() == [
        "false",
        "true false true",
        "true 1",
        "GoError: no checks provided to `check` | TypeError: Cannot convert undefined or null to object",
        "GoError: group and check names may not contain '::' | GoError: the built-in check() does not support "
        "async functions as argu",
        "Error: inside",
        "GoError: invalid value for metric tag 'bad': only String, Boolean and Number types are accepted as a "
        "metric tag values",
    ]
    checks = {(tags["check"], tags.get("tag")): value for tags, value in stage.samples()["checks"]}
    assert checks[("five", None)] == (1, 1)
    assert checks[("falsy", None)] == (0, 1)
    assert checks[("promise", None)] == (1, 1)
    assert checks[("1", "7")] == (0, 1)
    assert checks[("bad", None)] == (0, 1)
    assert ("later", None) not in checks


def test_group(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        const inner = group('a', () => {
          check(1, { one: true });
          try { group('b', () => { check(1, { two: true }); throw new Error('x'); }); } catch {}
          check(1, { three: true });
          return 'value';
        });
        console.log(inner, caught(() => group('x')), '|', caught(() => group('a::b', () => {})), '|',
          caught(() => group('x', async () => {})).slice(0, 60));
        """,
    )
    assert stage.logged() == [
        "value GoError: group() requires a callback as a second argument | GoError: group and check names may "
        "not contain '::' | GoError: group() does not support async functions as argumen"
    ]
    samples = stage.samples()
    groups = {tags["check"]: tags["group"] for tags, _ in samples["checks"]}
    assert groups == {"one": "::setup::a", "two": "::setup::a::b", "three": "::setup::a"}
    assert sorted(tags["group"] for tags, _ in samples["group_duration"]) == [
        "::setup::a",
        "::setup::a::b",
    ]


def test_init_refuses(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        "console.log(texts.join(' | '));",
        "const texts = [caught(() => check(1, {})), caught(() => group('x', () => {}))]; sleep(0.001);",
    )
    assert stage.logged() == [
        "GoError: Using check() in the init context is not supported | "
        "GoError: Using group() in the init context is not supported"
    ]


def test_sleep_and_fail(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        const start = Date.now();
        for (const value of [0, -1, NaN, undefined, 'x']) sleep(value); // not for ever
        sleep(0.05);
        console.log(Date.now() - start >= 49);
        console.log(caught(() => fail()), caught(() => fail('text')), caught(() => fail({})));
        """,
    )
    assert stage.logged() == ["true", "GoError:  GoError: text GoError: [object Object]"]


def test_random_seed(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        const draw = (seed) => { randomSeed(seed); return [Math.random(), Math.random(), Math.random()].join(); };
        const all = [];
        for (let i = 0; i < 1000; i += 1) all.push(Math.random());
        console.log(draw(7) === draw(7), draw(7) === draw(8), all.every((n) => n >= 0 && n < 1), new Set(all).size);
        """,
    )
    assert stage.logged() == ["true false true 1000"]
