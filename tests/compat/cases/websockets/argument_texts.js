// Arguments that are converted to Go's types: the texts of errors, symbols as texts, an empty protocol.
import { WebSocket } from 'k6/websockets';

export default function () {
  const ws = new WebSocket(`${__ENV.WS_URL}/echo`);
  for (const type of [null, undefined, '', 5]) {
    try {
      ws.binaryType = type;
    } catch (e) {
      console.log(e.message);
    }
  }
  for (const listener of [null, 5, {}, { handleEvent() {} }, 'text']) {
    try {
      ws.addEventListener('open', listener);
    } catch (e) {
      console.log(e.name, e.message);
    }
  }
  ws.onopen = () => {
    ws.send(Symbol('a symbol'));
    ws.send(Symbol(''));
  };
  const texts = [];
  ws.onmessage = (e) => {
    texts.push(e.data);
    if (texts.length === 2) {
      console.log(JSON.stringify(texts));
      ws.close();
    }
  };
  ws.onclose = () => {
    const empty = new WebSocket(`${__ENV.WS_URL}/echo`, '');
    empty.onerror = (e) => console.log('an empty protocol:', e.error);
    empty.onclose = () => {
      const none = new WebSocket(`${__ENV.WS_URL}/echo`, []);
      none.onopen = () => {
        console.log('no protocol:', none.readyState);
        none.close();
      };
    };
  };
}
