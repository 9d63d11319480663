"""k6/experimental/streams: what https://streams.spec.whatwg.org/ says of streams, readers and writers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

IMPORTS = """
import {
  CountQueuingStrategy, ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter,
} from 'k6/experimental/streams';
const seen = [];
const say = (...words) => seen.push(words.map((one) => (one instanceof Error ? one.name : JSON.stringify(one) ?? 'undefined')).join(' '));
const settle = (name, promise) => promise.then((v) => say(name, v), (e) => say(name, 'rejected', e));
const ticks = async (count) => { for (let i = 0; i < count; i += 1) await null; };
"""


def seen(run: Callable[..., list[str]], script: str) -> list[str]:
    found = run(f"{IMPORTS}{script}\nconsole.log(seen.join('\\n'));")
    return found[0].replace('"', "").split("\n")


def test_pull_follows_demand(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        let n = 0;
        const stream = new ReadableStream({ pull(controller) {
          say('pull', controller.desiredSize);
          controller.enqueue(n += 1);
        } }, new CountQueuingStrategy({ highWaterMark: 2 }));
        await ticks(10);
        say('waits', n);
        const reader = stream.getReader();
        say((await reader.read()).value, (await reader.read()).value);
        await ticks(10);
        say('waits', n);
    """) == ["pull 2", "pull 1", "waits 2", "pull 1", "pull 1", "1 2", "waits 4"]  # fmt: skip


def test_a_slow_pull_is_not_called_twice(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        let running = 0;
        const stream = new ReadableStream({ async pull(controller) {
          running += 1;
          await ticks(5);
          controller.enqueue(running);
          running -= 1;
        } }, { highWaterMark: 0 });
        const reader = stream.getReader();
        say((await Promise.all([reader.read(), reader.read(), reader.read()])).map(({ value }) => value));
    """) == ["[1,1,1]"]  # fmt: skip


def test_close_gives_what_was_queued_first(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        const stream = new ReadableStream({ start(controller) {
          controller.enqueue('a');
          controller.close();
          try {
            controller.enqueue('b');
          } catch (e) {
            say(e);
          }
        } });
        const reader = stream.getReader();
        settle('closed', reader.closed);
        say(await reader.read());
        say(await reader.read());
    """) == ["TypeError", "closed undefined", "{value:a,done:false}", "{done:true}"]  # fmt: skip


def test_release_refuses_reads_that_wait(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        let control;
        const stream = new ReadableStream({ start(controller) { control = controller; } });
        const reader = new ReadableStreamDefaultReader(stream);
        settle('read', reader.read());
        settle('closed', reader.closed);
        reader.releaseLock();
        settle('late', reader.read());
        await ticks(5);
        say(stream.locked);
        control.enqueue(1);
        say(await stream.getReader().read());
    """) == [
        "closed rejected TypeError", "read rejected TypeError", "late rejected TypeError", "false",
        "{value:1,done:false}",
    ]  # fmt: skip


def test_cancel_drops_the_queue_and_waits_for_the_source(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        const stream = new ReadableStream({
          start(controller) { controller.enqueue(1); },
          async cancel(reason) { await ticks(3); say('source', reason); return 'ignored'; },
        });
        settle('cancel', stream.cancel('why'));
        const reader = stream.getReader();
        say(await reader.read());
        await ticks(8);
        const locked = new ReadableStream();
        locked.getReader();
        await settle('locked', locked.cancel());
    """) == ["{done:true}", "source why", "cancel undefined", "locked rejected TypeError"]  # fmt: skip


def test_writes_are_in_order_and_backpressure_is_told(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        const stream = new WritableStream({ async write(chunk) { await ticks(3); say('written', chunk); } },
          new CountQueuingStrategy({ highWaterMark: 2 }));
        const writer = new WritableStreamDefaultWriter(stream);
        await writer.ready;
        writer.write(1);
        say(writer.desiredSize);
        writer.write(2);
        say(writer.desiredSize);
        settle('ready', writer.ready);
        await writer.close();
        say(writer.desiredSize, stream.locked);
        await settle('late', writer.write(3));
    """) == ["1", "0", "ready undefined", "written 1", "written 2", "0 true", "late rejected TypeError"]  # fmt: skip


def test_abort_refuses_what_waits(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        const stream = new WritableStream({
          write: () => ticks(5), abort(reason) { say('sink', reason); },
        });
        const writer = stream.getWriter();
        await ticks(3);
        settle('one', writer.write(1));
        settle('two', writer.write(2));
        settle('closed', writer.closed);
        settle('abort', writer.abort('why'));
        await settle('three', writer.write(3));
        await ticks(20);
        say(writer.desiredSize);
    """) == [
        "three rejected why", "sink why", "one undefined", "two rejected why", "abort undefined",
        "closed rejected why", "null",
    ]  # fmt: skip


def test_a_failing_sink_fails_the_stream(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        let control;
        const stream = new WritableStream({
          start(controller) { control = controller; },
          write() { throw new RangeError(); },
        });
        const writer = stream.getWriter();
        await settle('write', writer.write(1));
        await settle('ready', writer.ready);
        await settle('closed', writer.closed);
        await settle('close', writer.close());
        control.error('too late');
        writer.releaseLock();
        await settle('stream', stream.close());
        await settle('abort', stream.abort());
    """) == [
        "write rejected RangeError", "ready rejected RangeError", "closed rejected RangeError",
        "close rejected TypeError", "stream rejected TypeError", "abort undefined",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("new ReadableStream(5)", "TypeError"),
        ("new ReadableStream({ type: 'bytes' })", "GoError"),
        ("new ReadableStream({ pull: 5 })", "TypeError"),
        ("new ReadableStream({ start() { throw new EvalError(); } })", "EvalError"),
        ("new ReadableStream({}, { highWaterMark: -1 })", "RangeError"),
        ("new ReadableStream({}, { size: 5 })", "TypeError"),
        ("new ReadableStream().getReader({ mode: 'byob' })", "GoError"),
        ("new ReadableStreamDefaultReader({})", "TypeError"),
        ("new WritableStream({ type: 'bytes' })", "RangeError"),
        ("new WritableStreamDefaultWriter({})", "TypeError"),
        ("new CountQueuingStrategy()", "TypeError"),
        ("new CountQueuingStrategy({})", "TypeError"),
    ],
)
def test_refusals(run: Callable[..., list[str]], expression: str, error: str) -> None:
    assert seen(run, f"try {{ {expression}; }} catch (e) {{ say(e); }}") == [error]


def test_a_bad_size_fails_the_stream(run: Callable[..., list[str]]) -> None:
    assert seen(run, """
        const stream = new ReadableStream({ start(controller) {
          try {
            controller.enqueue(1);
          } catch (e) {
            say(e);
          }
        } }, { size: () => NaN });
        await settle('read', stream.getReader().read());
    """) == ["RangeError", "read rejected RangeError"]  # fmt: skip


def test_they_are_no_globals(run: Callable[..., list[str]]) -> None:
    assert run(f"{IMPORTS} console.log(typeof globalThis.ReadableStream, ReadableStream.name);") == [
        "undefined ReadableStream"
    ]
