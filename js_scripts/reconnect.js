// A client on a bad network: the server drops connections at random, the client comes back, waits
// longer each time that nothing got through, and goes on where it was.
import ws from 'k6/ws';
import { check, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const WANTED = 20; // messages that must get through
const MAX_ATTEMPTS = 30;

const drops = new Counter('connection_drops');
const attempts = new Trend('connection_attempts');

export const options = {
  vus: 5,
  iterations: 10,
  thresholds: {
    checks: ['rate==1'],
    connection_drops: ['count>0'],
    connection_attempts: [`max<=${MAX_ATTEMPTS}`],
  },
};

export default function () {
  let delivered = 0;
  let attempt = 0;
  let backoff = 0.05;

  while (delivered < WANTED && attempt < MAX_ATTEMPTS) {
    attempt += 1;
    const before = delivered;
    const seed = `${__VU}-${__ITER}-${attempt}`;

    const res = ws.connect(`${BASE_URL}/flaky?most=6&seed=${seed}`, { tags: { name: 'flaky' } }, (socket) => {
      let done = false;
      socket.on('open', () => socket.send(`message ${delivered + 1}`));
      socket.on('message', () => {
        delivered += 1;
        if (delivered < WANTED) {
          socket.send(`message ${delivered + 1}`);
        } else {
          done = true;
          socket.close(1000);
        }
      });
      socket.on('close', () => {
        if (!done) drops.add(1);
      });
    });
    check(res, { 'status is 101': (r) => r && r.status === 101 });

    backoff = delivered > before ? 0.05 : Math.min(backoff * 2, 1);
    if (delivered < WANTED) sleep(backoff * (0.5 + Math.random() / 2));
  }

  attempts.add(attempt);
  check(delivered, { 'everything got through': (n) => n === WANTED });
}
