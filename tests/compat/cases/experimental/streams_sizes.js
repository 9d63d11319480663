// desiredSize of controllers and writers, and what size functions may return.
import { ReadableStream, WritableStream } from 'k6/experimental/streams';

const outcome = (promise) => promise.then((value) => `ok ${JSON.stringify(value)}`, (e) => `rejected ${e.name} ${e.message}`);
const tick = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));

export default async function () {
  for (const [mark, sizes] of [[1, [1, 1, 1]], [1, [0.1, 0.1, 0.1]], [5, [0.1, 0.2, 0.3, 1e17, 1]], [0, [3, 0]], [2.5, [1, 2]]]) {
    let controller;
    const seen = [];
    const stream = new ReadableStream({
      start(c) {
        controller = c;
        sizes.forEach((size) => {
          c.enqueue(size);
          seen.push(c.desiredSize);
        });
      },
    }, { highWaterMark: mark, size: (chunk) => chunk });
    const reader = stream.getReader();
    for (let i = 0; i < sizes.length; i += 1) {
      await reader.read();
      seen.push(controller.desiredSize);
    }
    controller.close();
    console.log(mark, sizes.join(), seen.join(' '), controller.desiredSize);
  }
  const writer = new WritableStream({}, { highWaterMark: 1, size: (chunk) => chunk }).getWriter();
  const seen = [];
  for (const chunk of [0.1, 0.2, 0.3]) {
    writer.write(chunk);
    seen.push(writer.desiredSize);
  }
  await tick();
  console.log(seen.join(' '), writer.desiredSize);
  for (const size of [NaN, -1, Infinity, '3', 'x', undefined, null, {}, true]) {
    let controller;
    const stream = new ReadableStream({ start(c) { controller = c; } }, { size: () => size });
    let thrown = 'nothing';
    try {
      controller.enqueue(1);
    } catch (e) {
      thrown = `${e.name} ${e.message}`;
    }
    const failing = new WritableStream({}, { size: () => size }).getWriter();
    failing.closed.catch(() => {});
    console.log(String(size), thrown, controller.desiredSize, stream.locked, await outcome(failing.write(1)), failing.desiredSize);
  }
  let controller;
  new ReadableStream({ start(c) { controller = c; } });
  controller.error('no more');
  console.log(controller.desiredSize);
  const cancelled = new ReadableStream({ start(c) { controller = c; c.enqueue(1); } });
  await cancelled.cancel();
  console.log(controller.desiredSize);
}
