import ws from 'k6/ws';
import { check } from 'k6';
export const options = { vus: 2, iterations: 4, thresholds: { checks: ['rate==1'] } };
export function setup() {
  console.log(JSON.stringify([__ENV.WS_URL, __ENV.HTTP_URL, __ENV.WSS_URL, __ENV.HTTPS_URL]));
}
export default function () {
  for (const url of [__ENV.WS_URL, __ENV.WSS_URL]) {
    const res = ws.connect(`${url}/echo`, (socket) => {
      socket.on('open', () => socket.send('hello'));
      socket.on('message', () => socket.close());
    });
    check(res, { 'status is 101': (r) => r.status === 101 });
  }
}
