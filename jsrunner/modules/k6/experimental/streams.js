// k6/experimental/streams: https://grafana.com/docs/k6/latest/javascript-api/k6-experimental/streams/
// @ts-check
import { CountQueuingStrategy } from 'jsrunner:streams/queue';
import { ReadableStream, ReadableStreamDefaultReader } from 'jsrunner:streams/readable';
import { WritableStream, WritableStreamDefaultWriter } from 'jsrunner:streams/writable';

export {
  CountQueuingStrategy, ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter,
};

export default {
  CountQueuingStrategy, ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter,
};
