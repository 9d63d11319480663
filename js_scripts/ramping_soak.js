// Ramp up, hold, ramp down, with thresholds. Short as it stands; a real soak is
//
//   jsrunner run -e VUS=500 -e RAMP=2m -e HOLD=4h -e SESSION=60 -e WS_URL=wss://... js_scripts/ramping_soak.js
import ws from 'k6/ws';
import { check, sleep } from 'k6';
import { Rate, Trend } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const VUS = Number(__ENV.VUS) || 20;
const RAMP = __ENV.RAMP || '1s';
const HOLD = __ENV.HOLD || '2s';
const SESSION_S = Number(__ENV.SESSION) || 0.5;

const roundTrip = new Trend('round_trip', true);
const sessionFailed = new Rate('session_failed');

export const options = {
  scenarios: {
    soak: {
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: RAMP, target: VUS },
        { duration: HOLD, target: VUS },
        { duration: RAMP, target: 0 },
      ],
      gracefulRampDown: '5s',
    },
  },
  thresholds: {
    round_trip: ['p(95)<500', { threshold: 'p(99)<2000', abortOnFail: true, delayAbortEval: '10s' }],
    session_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
    ws_connecting: ['p(95)<1000'],
  },
};

export default function () {
  let failed = false;

  const res = ws.connect(`${BASE_URL}/echo`, { tags: { name: 'soak' } }, (socket) => {
    socket.on('open', () => {
      socket.setInterval(() => {
        socket.send(JSON.stringify({ vu: __VU, iter: __ITER, at: Date.now() }));
      }, 100);
      socket.setTimeout(() => socket.close(1000), SESSION_S * 1000 * (0.5 + Math.random()));
    });
    socket.on('message', (data) => {
      const { at, vu } = JSON.parse(data);
      roundTrip.add(Date.now() - at);
      if (vu !== __VU) failed = true;
    });
    socket.on('error', (e) => {
      failed = true;
      console.error(`VU ${__VU}: ${e.error()}`);
    });
  });

  const ok = check(res, { 'status is 101': (r) => r && r.status === 101 });
  sessionFailed.add(failed || !ok);
  sleep(Math.random() * 0.2);
}
