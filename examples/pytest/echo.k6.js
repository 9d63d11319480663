// A test of its own: pytest.ini has jsrunner's server started for it.
import ws from 'k6/ws';
import { check } from 'k6';

export const options = { vus: 2, iterations: 10, thresholds: { checks: ['rate==1'] } };

export default function () {
  const response = ws.connect(`${__ENV.WS_URL}/echo`, (socket) => {
    socket.on('open', () => socket.send('hello'));
    socket.on('message', () => socket.close());
  });
  check(response, { 'is connected': (r) => r && r.status === 101 });
}
