// A gRPC stream beside a WebSocket: prices come by WebSocket, the clock by gRPC, in one iteration.
//
//   pip install 'jsrunner[grpc]'
//   jsrunner run --with-server js_scripts/grpc_stream.js
import { check } from 'k6';
import grpc from 'k6/net/grpc';
import { WebSocket } from 'k6/websockets';

const ADDRESS = __ENV.GRPC_ADDR || '127.0.0.1:8767';
const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const TICKS = 20;

export const options = {
  vus: 3,
  iterations: 9,
  thresholds: {
    checks: ['rate==1'],
    grpc_streams_msgs_received: [`count==${9 * TICKS}`],
  },
};

const client = new grpc.Client();

export default function () {
  // The server describes its services itself.
  if (__ITER === 0) client.connect(ADDRESS, { plaintext: true, reflect: true });

  const echoes = [];
  let ticks = 0;
  const socket = new WebSocket(`${BASE_URL}/echo`);
  socket.addEventListener('message', (event) => echoes.push(event.data));

  socket.addEventListener('open', () => {
    const clock = new grpc.Stream(client, 'jsrunner.v1.Playground/Clock');
    clock.on('data', (tick) => {
      ticks += 1;
      socket.send(`tick ${tick.number}`);
    });
    clock.on('error', (error) => console.error(String(error)));
    clock.on('end', () => {
      // The last echo is still on its way.
      setTimeout(() => {
        check(echoes, { 'every tick was echoed': (list) => list.length === TICKS && ticks === TICKS });
        socket.close();
      }, 100);
    });
    clock.write({ count: TICKS, interval_ms: 5 });
    clock.end();
  });
}
