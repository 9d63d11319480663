// A binary protocol: records with their length in front, several in a message, big-endian numbers.
//
//   4 bytes length of what follows | 1 byte type | 4 bytes number | payload
//
// An answer has the request's number, and its type with the highest bit set.
import ws from 'k6/ws';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const ECHO = 0x01;
const SUM = 0x02;
const TIME = 0x03;
const ANSWER = 0x80;
const HEADER = 9;

const answerTime = new Trend('binary_answer_time', true);

export const options = {
  vus: 5,
  iterations: 50,
  thresholds: { checks: ['rate==1'], binary_answer_time: ['p(95)<500'] },
};

/** @param {{type: number, number: number, payload: Uint8Array}[]} records */
function encode(records) {
  const size = records.reduce((sum, { payload }) => sum + HEADER + payload.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { type, number, payload } of records) {
    view.setUint32(at, HEADER - 4 + payload.length);
    view.setUint8(at + 4, type);
    view.setUint32(at + 5, number);
    bytes.set(payload, at + HEADER);
    at += HEADER + payload.length;
  }
  return bytes.buffer;
}

function decode(buffer) {
  const view = new DataView(buffer);
  const records = [];
  for (let at = 0; at < buffer.byteLength; at += 4 + view.getUint32(at)) {
    const end = at + 4 + view.getUint32(at);
    records.push({
      type: view.getUint8(at + 4),
      number: view.getUint32(at + 5),
      payload: new DataView(buffer, at + HEADER, end - at - HEADER),
    });
  }
  return records;
}

function integers(...values) {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setInt32(i * 4, value));
  return new Uint8Array(view.buffer);
}

const int64 = (view) => view.getInt32(0) * 2 ** 32 + view.getUint32(4);

export default function () {
  const text = Uint8Array.from({ length: 64 }, (_, i) => i * 4);
  let answers = [];
  let sentAt;

  const res = ws.connect(`${BASE_URL}/binary`, null, (socket) => {
    socket.on('open', () => {
      sentAt = Date.now();
      socket.sendBinary(encode([
        { type: ECHO, number: 1, payload: text },
        { type: SUM, number: 2, payload: integers(1000, -1, __ITER) },
        { type: TIME, number: 3, payload: new Uint8Array(0) },
      ]));
    });
    socket.on('binaryMessage', (message) => {
      answerTime.add(Date.now() - sentAt);
      answers = decode(message);
      socket.close(1000);
    });
    socket.setTimeout(() => socket.close(), 5000);
  });

  check(res, { 'status is 101': (r) => r && r.status === 101 });
  check(answers, {
    'three answers': (a) => a.length === 3 && a.every(({ number }, i) => number === i + 1),
    'echo is the same': ([a]) => a.type === (ANSWER | ECHO)
      && text.every((byte, i) => a.payload.getUint8(i) === byte),
    'sum is right': ([, a]) => int64(a.payload) === 999 + __ITER,
    'the clocks agree': ([, , a]) => Math.abs(int64(a.payload) - sentAt) < 5000,
  });
}
