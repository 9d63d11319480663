// The smallest useful test: connect, send a few messages, check that each comes back.
//
//   jsrunner run --with-server js_scripts/echo.js
//   jsrunner run -e WS_URL=wss://example.com/socket js_scripts/echo.js
import ws from 'k6/ws';
import { check } from 'k6';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const MESSAGES = 10;

export const options = {
  vus: 5,
  duration: '2s',
  thresholds: {
    checks: ['rate==1'],
    ws_connecting: ['p(95)<500'],
  },
};

export default function () {
  const sent = [];
  const received = [];

  const res = ws.connect(`${BASE_URL}/echo`, { tags: { name: 'echo' } }, (socket) => {
    const say = () => {
      const message = `message ${sent.length + 1} of VU ${__VU}`;
      sent.push(message);
      socket.send(message);
    };

    socket.on('open', say);

    socket.on('message', (message) => {
      received.push(message);
      if (received.length < MESSAGES) {
        say();
      } else {
        socket.close(1000);
      }
    });

    socket.on('error', (e) => {
      if (e.error() !== 'websocket: close sent') {
        console.error('An unexpected error occurred: ', e.error());
      }
    });

    // Never hang: whatever happens, the session ends.
    socket.setTimeout(() => socket.close(), 5000);
  });

  check(res, { 'status is 101': (r) => r && r.status === 101 });
  check(received, { 'every message came back': (r) => r.join() === sent.join() && r.length === MESSAGES });
}
