// Heartbeats: the server closes connections that it does not hear of. One scenario keeps its
// connections alive by pings and measures their round trips, the other falls silent and is closed.
import ws from 'k6/ws';
import { check } from 'k6';
import { Counter } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const SILENT = 4008; // the server's close code for those that have fallen silent

const pongs = new Counter('pongs');

export const options = {
  scenarios: {
    alive: { executor: 'per-vu-iterations', exec: 'alive', vus: 5, iterations: 1 },
    silent: { executor: 'per-vu-iterations', exec: 'silent', vus: 2, iterations: 1 },
  },
  thresholds: {
    checks: ['rate==1'],
    ws_ping: ['p(95)<500'],
    pongs: ['count>=25'],
    'ws_session_duration{scenario:alive}': ['min>=2000'],
    'ws_session_duration{scenario:silent}': ['max<2000'],
  },
};

export function alive() {
  let code;
  const res = ws.connect(`${BASE_URL}/heartbeat?ping=false&timeout=1`, (socket) => {
    socket.on('open', () => {
      socket.ping();
      socket.setInterval(() => socket.ping(), 250);
      socket.setTimeout(() => socket.close(1000), 2200);
    });
    socket.on('pong', () => pongs.add(1));
    socket.on('close', (c) => {
      code = c;
    });
  });
  check(res, { 'status is 101': (r) => r.status === 101 });
  check(code, { 'we closed it': (c) => c === 1000 });
}

export function silent() {
  let code;
  let reason;
  const res = ws.connect(`${BASE_URL}/heartbeat?ping=false&timeout=0.5`, (socket) => {
    socket.on('error', (e) => {
      reason = e.error(); // a close code that is neither 1000 nor 1001 is an error, too
    });
    socket.on('close', (c) => {
      code = c;
    });
    socket.setTimeout(() => socket.close(), 5000);
  });
  check(res, { 'status is 101': (r) => r.status === 101 });
  check(code, { 'the server closed it': (c) => c === SILENT });
  check(reason, { 'and said why': (text) => text.startsWith(`websocket: close ${SILENT}`) });
}
