// Fields of the answer: two subprotocols of which the first counts, extensions of a handshake that fails.
import { WebSocket } from 'k6/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/badshake?kind=protos`);
  ws.onopen = () => {
    console.log(ws.protocol, JSON.stringify(ws.extensions), ws.extensions === ws.extensions);
    ws.extensions.push('of my own');
    console.log(ws.extensions.length);
    ws.close();
  };
  ws.onclose = () => {
    const refused = new WebSocket(`${__ENV.WS_URL}/badshake?kind=ext`);
    refused.onerror = (e) => console.log(e.error, JSON.stringify(refused.extensions));
  };
}
