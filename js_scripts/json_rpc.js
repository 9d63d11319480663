// JSON-RPC over one connection: requests have ids, responses come in any order. Measures each method.
import ws from 'k6/ws';
import { check } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';

const duration = new Trend('rpc_duration', true);
const errors = new Counter('rpc_errors');

export const options = {
  vus: 5,
  iterations: 25,
  thresholds: {
    checks: ['rate==1'],
    'rpc_duration{method:add}': ['p(95)<500'],
    'rpc_duration{method:sleep}': ['min>=95'],
    rpc_errors: ['count==25'],
  },
};

class RpcClient {
  constructor(socket) {
    this.socket = socket;
    this.lastId = 0;
    this.pending = new Map();
    socket.on('message', (data) => this.receive(JSON.parse(data)));
  }

  call(method, params, done) {
    this.lastId += 1;
    this.pending.set(this.lastId, { method, done, sentAt: Date.now() });
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id: this.lastId, method, params }));
  }

  receive({ id, result, error }) {
    const { method, done, sentAt } = this.pending.get(id);
    this.pending.delete(id);
    duration.add(Date.now() - sentAt, { method });
    if (error) errors.add(1, { code: String(error.code) });
    done(result, error);
    if (this.pending.size === 0) this.socket.close(1000);
  }
}

export default function () {
  const order = [];

  const res = ws.connect(`${BASE_URL}/rpc`, {}, (socket) => {
    socket.on('open', () => {
      const rpc = new RpcClient(socket);
      rpc.call('sleep', [100], () => order.push('sleep'));
      rpc.call('add', [1, 2, __ITER], (sum) => {
        order.push('add');
        check(sum, { 'add adds': (s) => s === 3 + __ITER });
      });
      rpc.call('echo', { user: `vu-${__VU}` }, (params) => {
        check(params, { 'echo repeats': (p) => p.user === `vu-${__VU}` });
      });
      rpc.call('error', ['on purpose'], (_, error) => {
        check(error, { 'errors are told': (e) => e.code === -32000 && e.message === 'on purpose' });
      });
    });
    socket.setTimeout(() => socket.close(), 5000);
  });

  check(res, { 'status is 101': (r) => r && r.status === 101 });
  check(order, { 'who sleeps is overtaken': (o) => o.join() === 'add,sleep' });
}
