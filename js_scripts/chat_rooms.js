// Chat: every VU joins a room, talks for a while, and hears what all the others in the room say.
// Measures how long a message takes from one user to another.
import ws from 'k6/ws';
import { check, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const ROOMS = parseInt(__ENV.ROOMS || '3');
const SESSION_MS = parseInt(__ENV.SESSION_MS || '2000');
const TALK_EVERY_MS = 200;

const delivery = new Trend('chat_delivery', true);
const heard = new Counter('chat_messages_heard');

export const options = {
  vus: 9,
  iterations: 9,
  thresholds: {
    chat_delivery: ['p(95)<500'],
    chat_messages_heard: ['count>0'],
    checks: ['rate==1'],
  },
};

export default function () {
  const room = `room-${__VU % ROOMS}`;
  const user = `user-${__VU}`;
  let joined = false;
  let ownMessages = 0;
  let ownEchoes = 0;

  sleep(Math.random() * 0.5); // people do not arrive all at once

  const res = ws.connect(`${BASE_URL}/chat/${room}?user=${user}`, { tags: { room } }, (socket) => {
    socket.on('open', () => {
      socket.setInterval(() => {
        ownMessages += 1;
        socket.send(JSON.stringify({ n: ownMessages, at: Date.now() }));
      }, TALK_EVERY_MS);
      socket.setTimeout(() => socket.close(1000), SESSION_MS);
    });

    socket.on('message', (data) => {
      const note = JSON.parse(data);
      switch (note.type) {
        case 'join':
          joined = joined || note.user === user;
          break;
        case 'message':
          heard.add(1, { room });
          if (note.user === user) ownEchoes += 1;
          else delivery.add(Date.now() - JSON.parse(note.text).at, { room });
          break;
        case 'leave':
          break;
        default:
          console.error(`unknown note: ${data}`);
      }
    });

    socket.on('error', (e) => console.error(`${user}: ${e.error()}`));
  });

  check(res, {
    'status is 101': (r) => r && r.status === 101,
    'was let into the room': () => joined,
    'heard itself': () => ownEchoes > 0 && ownEchoes <= ownMessages,
  });
}
