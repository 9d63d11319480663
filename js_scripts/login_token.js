// A token in the handshake's headers: a JSON web token (HS256) made with k6/crypto, as services that
// share a secret do. Without it, or with a wrong one, the server answers 401.
import ws from 'k6/ws';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import { check, group } from 'k6';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const SECRET = __ENV.SECRET || 'jsrunner';

export const options = {
  vus: 5,
  iterations: 20,
  thresholds: {
    checks: ['rate==1'],
    'ws_sessions{expected:in}': ['count==20'],
    'ws_sessions{expected:out}': ['count==40'],
  },
};

function sign(claims, secret) {
  const header = encoding.b64encode(JSON.stringify({ alg: 'HS256', typ: 'JWT' }), 'rawurl');
  const payload = encoding.b64encode(JSON.stringify(claims), 'rawurl');
  const signature = crypto.hmac('sha256', secret, `${header}.${payload}`, 'base64rawurl');
  return `${header}.${payload}.${signature}`;
}

export function setup() {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return {
    token: sign({ sub: 'alice', exp }, SECRET),
    forged: sign({ sub: 'alice', exp }, `not ${SECRET}`),
  };
}

function connect(headers, expected, reply) {
  return ws.connect(`${BASE_URL}/auth/echo`, { headers, tags: { expected } }, (socket) => {
    socket.on('open', () => socket.send('who am I?'));
    socket.on('message', (message) => {
      reply(message);
      socket.close(1000);
    });
    socket.setTimeout(() => socket.close(), 5000);
  });
}

export default function (data) {
  group('with a token', () => {
    let answer;
    const res = connect({ Authorization: `Bearer ${data.token}` }, 'in', (message) => {
      answer = message;
    });
    check(res, { 'status is 101': (r) => r.status === 101 });
    check(answer, { 'the server answered': (a) => a === 'who am I?' });
  });

  group('without', () => {
    const res = connect({}, 'out', () => {});
    check(res, {
      'status is 401': (r) => r.status === 401,
      'it says how to log in': (r) => r.headers['Www-Authenticate'].startsWith('Bearer'),
    });
  });

  group('with a forged token', () => {
    const res = connect({ Authorization: `Bearer ${data.forged}` }, 'out', () => {});
    check(res, { 'status is 401': (r) => r.status === 401 });
  });
}
