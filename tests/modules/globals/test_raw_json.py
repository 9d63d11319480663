"""JSON.rawJSON and isRawJSON, by the steps of the TC39 proposal
(https://tc39.es/proposal-json-parse-with-source/)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def test_raw_texts_are_written_as_they_are(run: Callable[..., list[str]]) -> None:
    assert run("""
        const big = JSON.rawJSON('12345678901234567890');
        console.log(JSON.stringify(big), JSON.stringify([undefined, big, () => 1]), JSON.stringify({ toJSON: () => big }));
        console.log(JSON.stringify({ a: 1n, b: 'x' }, (key, value) => (typeof value === 'bigint' ? JSON.rawJSON(value) : value)));
        console.log(JSON.stringify({ b: big, a: big, c: new Number(3), d: { a: 1, q: 2 }, e: [{ q: 1, a: 2 }] }, ['c', 'a', 'd', 'e']));
        console.log(JSON.stringify({ a: big }, null, 1).split('\\n').length, JSON.stringify(JSON.rawJSON('"$&$1"')), JSON.stringify(undefined));
    """) == [
        "12345678901234567890 [null,12345678901234567890,null] 12345678901234567890",
        '{"a":1,"b":"x"}',
        '{"c":3,"a":12345678901234567890,"d":{"a":1},"e":[{"a":2}]}',
        '3 "$&$1" undefined',
    ]


def test_the_objects(run: Callable[..., list[str]]) -> None:
    assert run("""
        const raw = JSON.rawJSON(5);
        console.log(raw.rawJSON === '5', Object.isFrozen(raw), Object.getPrototypeOf(raw), Object.keys(raw).join());
        console.log(JSON.isRawJSON(raw), JSON.isRawJSON({ ...raw }), JSON.isRawJSON('5'), JSON.isRawJSON());
        for (const name of ['rawJSON', 'isRawJSON', 'stringify']) {
          const { value, ...how } = Object.getOwnPropertyDescriptor(JSON, name);
          console.log(value.name, value.length, JSON.stringify(how));
        }
    """) == [
        "true true null rawJSON",
        "true false false false",
        'rawJSON 1 {"writable":true,"enumerable":false,"configurable":true}',
        'isRawJSON 1 {"writable":true,"enumerable":false,"configurable":true}',
        'stringify 3 {"writable":true,"enumerable":false,"configurable":true}',
    ]


@pytest.mark.parametrize("text", ["''", "' 1'", "'1\\n'", "'{}'", "'[1]'", "'x'", "undefined"])
def test_texts_that_are_no_raw_json(run: Callable[..., list[str]], text: str) -> None:
    assert run(f"try {{ JSON.rawJSON({text}); }} catch (e) {{ console.log(e.name); }}") == [
        "SyntaxError"
    ]


def test_other_failures(run: Callable[..., list[str]]) -> None:
    assert run("""
        const loop = { raw: JSON.rawJSON('1') };
        loop.loop = loop;
        for (const attempt of [() => JSON.rawJSON(Symbol('s')), () => JSON.stringify(loop), () => JSON.stringify(loop, ['loop'])]) {
          try {
            attempt();
          } catch (e) {
            console.log(e.name);
          }
        }
    """) == ["TypeError", "TypeError", "TypeError"]


def test_what_is_an_error(run: Callable[..., list[str]]) -> None:
    """Error.isError is the engine's own (https://tc39.es/proposal-is-error/)."""
    assert run("""
        console.log([new Error('x'), new (class extends TypeError {})(), new GoError('x'), {}, Object.create(Error.prototype),
          'x', undefined].map((value) => Error.isError(value)).join(), Error.isError.length);
    """) == ["true,true,true,false,false,false,false 1"]
