// A price feed: the server pushes, the client listens. Measures how old a price is when it arrives,
// by symbol, and that none is missing.
import ws from 'k6/ws';
import { check } from 'k6';
import { Gauge, Rate, Trend } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';
const RATE = __ENV.RATE || '100'; // prices a second
const COUNT = parseInt(__ENV.COUNT || '200');
const SYMBOLS = ['BTC-USD', 'ETH-USD', 'SOL-USD'];

const latency = new Trend('price_latency', true);
const gaps = new Rate('price_gaps');
const lastPrice = new Gauge('price_last');

export const options = {
  scenarios: {
    subscribers: { executor: 'per-vu-iterations', vus: 10, iterations: 1, maxDuration: '30s' },
  },
  thresholds: {
    price_latency: ['p(95)<500', 'p(99)<1000'],
    'price_latency{symbol:BTC-USD}': ['p(95)<500'],
    price_gaps: ['rate==0'],
    ws_sessions: ['count>0'],
  },
  summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max', 'count'],
};

export default function () {
  let expected = 1;
  let closeCode;

  const url = `${BASE_URL}/push?rate=${RATE}&count=${COUNT}&symbols=${SYMBOLS.join(',')}`;
  const res = ws.connect(url, { tags: { name: 'push' } }, (socket) => {
    socket.on('message', (data) => {
      const { seq, symbol, price, ts } = JSON.parse(data);
      latency.add(Math.max(Date.now() - ts, 0), { symbol });
      gaps.add(seq !== expected);
      lastPrice.add(price, { symbol });
      expected = seq + 1;
    });
    socket.on('close', (code) => {
      closeCode = code;
    });
  });

  check(res, { 'status is 101': (r) => r && r.status === 101 });
  check(expected - 1, { 'all prices arrived': (n) => n === COUNT });
  check(closeCode, { 'the feed ended in order': (code) => code === 1000 });
}
