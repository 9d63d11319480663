// Test data from a file, held once for all VUs by a SharedArray. Each VU plays one user of it.
import ws from 'k6/ws';
import exec from 'k6/execution';
import { check } from 'k6';
import { SharedArray } from 'k6/data';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';

const users = new SharedArray('users', () => JSON.parse(open('./data/users.json')));

export const options = {
  scenarios: {
    users: { executor: 'per-vu-iterations', vus: users.length, iterations: 2, maxDuration: '20s' },
  },
  thresholds: {
    checks: ['rate==1'],
    'ws_sessions{room:support}': ['count==6'],
  },
};

export default function () {
  const user = users[(exec.vu.idInTest - 1) % users.length];
  exec.vu.metrics.tags.room = user.room;

  let greeting;
  const url = `${BASE_URL}/chat/${user.room}?user=${encodeURIComponent(user.name)}`;
  const res = ws.connect(url, {}, (socket) => {
    socket.on('open', () => socket.send(user.greeting));
    socket.on('message', (data) => {
      const note = JSON.parse(data);
      if (note.type === 'message' && note.user === user.name) {
        greeting = note.text;
        socket.close(1000);
      }
    });
    socket.setTimeout(() => socket.close(), 5000);
  });

  check(res, { 'status is 101': (r) => r && r.status === 101 });
  check(greeting, { 'the room heard the greeting': (text) => text === user.greeting });
}
