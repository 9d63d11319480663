// Each VU enters the chat room, says something, and leaves when it has heard itself.
import ws from 'k6/ws';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const delivery = new Trend('chat_delivery', true);

export const options = {
  vus: 10,
  iterations: 100,
  thresholds: { checks: ['rate==1'], chat_delivery: ['p(95)<500'] },
};

export default function () {
  const text = `${__VU}-${__ITER}`;
  let heard = false;
  const response = ws.connect(__ENV.CHAT_URL, (socket) => {
    let sent;
    socket.on('open', () => {
      sent = Date.now();
      socket.send(text);
    });
    socket.on('message', (data) => {
      if (data === text) {
        heard = true;
        delivery.add(Date.now() - sent);
        socket.close();
      }
    });
    socket.setTimeout(() => socket.close(), 5000);
  });
  check(response, { 'is connected': (r) => r && r.status === 101 });
  check(heard, { 'hears itself': (value) => value });
}
