// Samples of setup() and teardown() are kept, those of handleSummary() are too late.
import { check, group } from 'k6';
import { Counter } from 'k6/metrics';

const c = new Counter('clicks');

export function setup() {
  c.add(1);
}

export default function () {
  c.add(10);
}

export function teardown() {
  c.add(100);
}

export function handleSummary(data) {
  c.add(1000);
  check(1, { late: true });
  group('late', () => c.add(10000));
  return { 'out.json': JSON.stringify({ clicks: data.metrics.clicks.values.count, iter: typeof __ITER, has: '__ITER' in globalThis }) };
}
