"""SharedArray (k6-surface DA-01 to DA-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from in_process import Stage

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import { SharedArray } from 'k6/data';
const caught = (f) => { try { return f(); } catch (e) { return `${e.name}: ${e.message}`; } };
"""


def run(tmp_path: Path, init: str, body: str) -> Stage:
    return Stage(
        tmp_path, f"{HEAD}{init}\nexport function setup() {{ {body} }}\nexport default function () {{}}"
    ).run()


def test_elements(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        let built = 0;
        const array = new SharedArray('a', () => { built += 1; return [{ n: 1, d: new Date(0), f() {} }, 'x', [2]]; });
        """,
        """
        console.log(built, array.length, Array.isArray(array), array instanceof Array, array[3], array[-1]);
        console.log(array[0] === array[0], array[0], array.map((one) => typeof one), [...array].length);
        console.log(array.slice(1), array.find((one) => one === 'x'), Object.keys(array), 1 in array, 5 in array);
        console.log(JSON.stringify(array), array.indexOf('x'));
        """,
    )
    assert stage.failure is None
    assert stage.logged() == [
        "0 3 true true undefined undefined",
        'false { n: 1, d: "1970-01-01T00:00:00.000Z" } [ "object", "string", "object" ] 3',
        '[ "x", [ 2 ] ] x [ "0", "1", "2" ] true false',
        '[{"n":1,"d":"1970-01-01T00:00:00.000Z"},"x",[2]] 1',
    ]


def test_nothing_can_be_changed(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        "const array = new SharedArray('a', () => [{ deep: { n: 1 } }, 1]);",
        """
        for (const change of [() => { array[0] = 1; }, () => { array[5] = 1; }, () => array.push(1),
          () => { array.length = 0; }, () => { delete array[0]; }, () => array.sort(), () => { array[0].deep.n = 2; },
          () => { array[0].more = 1; }]) console.log(caught(change).slice(0, 37));
        console.log(array[0].deep.n, array.length);
        """,
    )
    assert stage.logged()[:5] == ["TypeError: SharedArray is immutable"] * 5
    assert [one[:10] for one in stage.logged()[5:8]] == ["TypeError:"] * 3
    assert stage.logged()[8] == "1 2"


def test_what_is_refused(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        """
        const texts = [() => new SharedArray('', () => []), () => new SharedArray('b', 5),
          () => new SharedArray('c', async () => []), () => new SharedArray('d', () => ({})),
          () => new SharedArray('e', () => { throw new Error('mine'); })].map(caught);
        """,
        "texts.forEach((text) => console.log(text)); console.log(caught(() => new SharedArray('f', () => [])));",
    )
    assert stage.logged() == [
        "GoError: empty name provided to SharedArray's constructor",
        "GoError: a function is expected as the second argument of SharedArray's constructor",
        "GoError: SharedArray constructor does not support async functions as second argument",
        "GoError: only arrays can be made into SharedArray",
        "Error: mine",
        "GoError: new SharedArray must be called in the init context",
    ]


def test_names_and_elements_are_what_their_texts_are(tmp_path: Path) -> None:
    stage = run(
        tmp_path,
        "const array = new SharedArray(undefined, () => [undefined, () => 1, new Date(0)]);",
        """
        console.log(array.length, JSON.stringify(array[2]));
        console.log(caught(() => array[0]).slice(0, 11), caught(() => array[1]).slice(0, 11));
        console.log(array[1.5], array['00'], caught(() => Object.freeze(array)), Object.isExtensible(array));
        """,
    )
    assert stage.logged() == [
        '3 "1970-01-01T00:00:00.000Z"',
        "SyntaxError SyntaxError",
        "undefined undefined TypeError: Cannot make a dynamic object non-extensible true",
    ]
