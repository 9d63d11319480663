// Handshakes signed as trading platforms want them: user, time and an HMAC of both in the headers.
import ws from 'k6/ws';
import crypto from 'k6/crypto';
import { check } from 'k6';
import { Rate } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const SECRET = __ENV.API_SECRET || 'jsrunner';

const rejected = new Rate('handshakes_rejected');

export const options = {
  scenarios: {
    traders: { executor: 'constant-vus', exec: 'trader', vus: 4, duration: '2s' },
    intruders: { executor: 'shared-iterations', exec: 'intruder', vus: 2, iterations: 10 },
  },
  thresholds: {
    checks: ['rate==1'],
    'handshakes_rejected{scenario:traders}': ['rate==0'],
    'handshakes_rejected{scenario:intruders}': ['rate==1'],
  },
};

function signedHeaders(user, secret, timestamp = Date.now()) {
  return {
    'X-User': user,
    'X-Timestamp': String(timestamp),
    'X-Signature': crypto.hmac('sha256', secret, `${user}:${timestamp}`, 'hex'),
  };
}

export function trader() {
  let reply;
  const params = { headers: signedHeaders(`trader-${__VU}`, SECRET) };
  const res = ws.connect(`${BASE_URL}/signed/echo`, params, (socket) => {
    socket.on('open', () => socket.send(JSON.stringify({ op: 'order', side: 'buy', quantity: __ITER })));
    socket.on('message', (data) => {
      reply = JSON.parse(data);
      socket.setTimeout(() => socket.close(1000), 50);
    });
    socket.setTimeout(() => socket.close(), 5000);
  });
  rejected.add(res.status !== 101);
  check(res, { 'is let in': (r) => r.status === 101 });
  check(reply, { 'the order was taken': (r) => r && r.quantity === __ITER });
}

export function intruder() {
  const headers = __ITER % 2
    ? signedHeaders('mallory', 'a guess')
    : signedHeaders('mallory', SECRET, Date.now() - 3600 * 1000); // recorded an hour ago
  const res = ws.connect(`${BASE_URL}/signed/echo`, { headers }, (socket) => socket.close());
  rejected.add(res.status !== 101);
  check(res, { 'is kept out': (r) => r.status === 401 });
}
