// What constructors of streams, readers, writers and strategies take, in which order they look at it, and their errors.
import { CountQueuingStrategy, ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter } from 'k6/experimental/streams';

const attempt = (label, f) => {
  try {
    console.log(label, String(f()));
  } catch (e) {
    console.log(label, e.name, e.message);
  }
};
const values = [undefined, null, 5, 'x', {}, [], true, -1, 2.5, NaN, Infinity];
const fresh = (value) => (value && value.constructor === Object ? {} : value);

export default function () {
  for (const value of values) {
    const label = JSON.stringify(value) + typeof value;
    attempt(`source ${label}`, () => typeof new ReadableStream(fresh(value)));
    attempt(`sink ${label}`, () => typeof new WritableStream(fresh(value)));
    attempt(`strategy ${label}`, () => typeof new ReadableStream({}, fresh(value)));
    attempt(`sink strategy ${label}`, () => typeof new WritableStream({}, fresh(value)));
    attempt(`reader ${label}`, () => typeof new ReadableStreamDefaultReader(fresh(value)));
    attempt(`writer ${label}`, () => typeof new WritableStreamDefaultWriter(fresh(value)));
    attempt(`getReader ${label}`, () => typeof new ReadableStream().getReader(fresh(value)));
    attempt(`mode ${label}`, () => typeof new ReadableStream().getReader({ mode: value }));
    attempt(`type ${label}`, () => typeof new ReadableStream({ type: value }));
    attempt(`sink type ${label}`, () => typeof new WritableStream({ type: value }));
    for (const name of ['start', 'pull', 'cancel']) attempt(`${name} ${label}`, () => typeof new ReadableStream({ [name]: value }));
    for (const name of ['start', 'write', 'close', 'abort']) attempt(`sink ${name} ${label}`, () => typeof new WritableStream({ [name]: value }));
    attempt(`size ${label}`, () => typeof new ReadableStream({}, { size: value }));
    attempt(`mark ${label}`, () => new WritableStream({}, { highWaterMark: value }).getWriter().desiredSize);
    attempt(`count ${label}`, () => new CountQueuingStrategy({ highWaterMark: value }).highWaterMark);
    attempt(`size before mark ${label}`, () => typeof new ReadableStream({ start: 5 }, { size: 5, highWaterMark: value }));
    attempt(`mark before start ${label}`, () => typeof new ReadableStream({ start: 5 }, { highWaterMark: value }));
  }
  attempt('bytes', () => new ReadableStream({ type: 'bytes' }));
  attempt('byob', () => new ReadableStream().getReader({ mode: 'byob' }));
  attempt('tee', () => new ReadableStream().tee());
  attempt('no pipes', () => [typeof new ReadableStream().pipeTo, typeof new ReadableStream().pipeThrough, typeof ReadableStream.from]);
  let readable;
  let writable;
  new ReadableStream({ start(controller) { readable = controller; } });
  new WritableStream({ start(controller) { writable = controller; } });
  attempt('constructors', () => readable.constructor());
  attempt('constructors', () => writable.constructor());
  attempt('without new', () => [typeof ReadableStream().getReader, CountQueuingStrategy({ highWaterMark: 3 }).size(), typeof ReadableStreamDefaultReader(new ReadableStream()).read]);
  attempt('sink without new', () => WritableStream());
  attempt('writer without new', () => WritableStreamDefaultWriter(new WritableStream()));
  for (const args of [[], [new ReadableStream(), 1]]) attempt('number of arguments', () => new ReadableStreamDefaultReader(...args));
  attempt('number of arguments', () => new WritableStreamDefaultWriter());
  for (const args of [[], [{ highWaterMark: 1 }, 2]]) attempt('number of arguments', () => new CountQueuingStrategy(...args));
  attempt('lengths', () => [ReadableStream, WritableStream, CountQueuingStrategy, ReadableStreamDefaultReader, WritableStreamDefaultWriter].map((f) => f.length));
  attempt('strategy', () => JSON.stringify(new CountQueuingStrategy({ highWaterMark: 2 })));
  attempt('not a writer', () => WritableStreamDefaultWriter.prototype.write.call({}, 1));
  const { read } = new ReadableStream({ start(c) { c.enqueue(1); } }).getReader();
  const { enqueue, close } = readable;
  attempt('taken from their objects', () => [enqueue(1), close(), readable.desiredSize, typeof read().then]);
}
