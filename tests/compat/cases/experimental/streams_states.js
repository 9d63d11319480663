// Streams that are closed, locked, released, errored or cancelled: what each call comes to, with its text.
import { ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter } from 'k6/experimental/streams';

const outcome = (promise) => promise.then((value) => `ok ${JSON.stringify(value && { value: value.value, done: value.done })}`, (e) => (e && e.name ? `rejected ${e.name} ${e.message}` : `rejected ${e}`));
const thrown = (f) => {
  try {
    return String(f());
  } catch (e) {
    return `${e.name} ${e.message}`;
  }
};

export default async function () {
  let controller;
  const start = (c) => { controller = c; };
  const locked = new ReadableStream({ start });
  const reader = locked.getReader();
  console.log(locked.locked, await outcome(locked.cancel()), thrown(() => locked.getReader()), thrown(() => new ReadableStreamDefaultReader(locked)));
  const waiting = reader.read();
  reader.releaseLock();
  reader.releaseLock();
  console.log(await outcome(waiting), await outcome(reader.closed), await outcome(reader.read()), await outcome(reader.cancel()), locked.locked);
  controller.close();
  console.log(thrown(() => controller.close()), thrown(() => controller.enqueue(1)), await outcome(locked.getReader().read()));
  const closed = new ReadableStream({ start(c) { c.enqueue(1); c.close(); } }).getReader();
  console.log(await outcome(closed.read()), await outcome(closed.read()), await outcome(closed.closed));
  closed.releaseLock();
  console.log(await outcome(closed.closed));
  const errored = new ReadableStream({ start }).getReader();
  const pending = errored.read();
  controller.error(new RangeError('boom'));
  console.log(await outcome(pending), await outcome(errored.closed), await outcome(errored.read()), await outcome(errored.cancel()), thrown(() => controller.enqueue(1)));
  const cancelled = new ReadableStream({ cancel(reason) { console.log('cancel', reason, arguments.length); return 5; } });
  console.log(await outcome(cancelled.cancel('why')), await outcome(cancelled.cancel('again')));
  for (const cancel of [() => { throw new SyntaxError('no'); }, () => Promise.reject(new TypeError('no'))]) console.log(await outcome(new ReadableStream({ cancel }).cancel()));
  for (const source of [{ pull() { throw new RangeError('pull'); } }, { async pull() { throw 'pull'; } }, { start() { return Promise.reject('start'); } }]) console.log(await outcome(new ReadableStream(source).getReader().read()));

  const stream = new WritableStream();
  const writer = stream.getWriter();
  console.log(stream.locked, await outcome(stream.close()), await outcome(stream.abort()), thrown(() => stream.getWriter()), thrown(() => new WritableStreamDefaultWriter(stream)));
  writer.releaseLock();
  writer.releaseLock();
  console.log(await outcome(writer.write(1)), await outcome(writer.close()), await outcome(writer.abort()), await outcome(writer.ready), await outcome(writer.closed), thrown(() => writer.desiredSize));
  const closing = stream.getWriter();
  const end = closing.close();
  console.log(await outcome(closing.close()), await outcome(closing.write(1)), await outcome(end), await outcome(closing.close()), await outcome(closing.write(1)), closing.desiredSize);
  const failing = new WritableStream({ write() { throw new RangeError('write'); } }).getWriter();
  failing.closed.catch(() => {});
  console.log(await outcome(failing.write(1)), await outcome(failing.write(2)), await outcome(failing.closed), await outcome(failing.close()), failing.desiredSize);
  const aborted = new WritableStream({ abort(reason) { console.log('abort', reason); } }).getWriter();
  aborted.closed.catch(() => {});
  console.log(await outcome(aborted.abort('why')), await outcome(aborted.closed), await outcome(aborted.abort('again')), await outcome(aborted.write(3)));
  const order = [];
  const source = new ReadableStream({ start() { order.push('start'); }, pull(c) { order.push('pull'); c.enqueue(1); } });
  await source.getReader().read();
  console.log(order.join());
}
