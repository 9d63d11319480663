// Codes that are no codes, and reasons whose bytes count, not their characters.
import { WebSocket } from 'k6/websockets';

const CODES = [9.3e18, -1e19, Infinity, NaN, 'Infinity', '0x3e8', 1000.9, 2999.99, 4999.9, false, true, null, [3001], {}, new Date(3003), 10n];
const REASONS = ['é'.repeat(61), 'é'.repeat(62), '\ud800'.repeat(41), '\ud800'.repeat(42), '\ud83d\ude00'.repeat(30), '\udc00x', 5, null, {}, '\u0000'];
const CALLS = [...CODES.map((code) => [code, 'why\ud800']), ...REASONS.map((reason) => [3000, reason])];

const next = (at) => {
  if (at === CALLS.length) return;
  const events = [];
  const socket = new WebSocket(`${__ENV.WS_URL}/echo`);
  socket.onopen = () => {
    try {
      socket.close(...CALLS[at]);
      events.push('accepted');
    } catch (error) {
      events.push(String(error));
      socket.close();
    }
  };
  socket.onerror = (event) => events.push(event.error);
  socket.onclose = (event) => {
    console.log(at, events.join(' | '), event.code, event.reason);
    next(at + 1);
  };
};

export default function () {
  next(0);
}
