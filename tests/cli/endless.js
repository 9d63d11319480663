import ws from 'k6/ws';
export const options = { vus: 1, duration: '10m' };
export default function () {
  ws.connect(`${__ENV.WS_URL}/push`, (socket) => {
    let said = false;
    socket.on('message', () => {
      if (!said) console.log(__ENV.WS_URL);
      said = true;
    });
  });
}
export function teardown() {
  const res = ws.connect(`${__ENV.WS_URL}/echo`, (socket) => socket.close());
  console.log(`teardown: ${res.status}`);
}
