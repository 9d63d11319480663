import { check, group, sleep } from 'k6';
import { Counter, Gauge, Trend } from 'k6/metrics';

const trend = new Trend('took', true), gauge = new Gauge('level'), counter = new Counter('things');
export const options = {
  vus: 1, duration: '1h', setupTimeout: '5s',
  thresholds: { took: ['avg<1'], things: ['count>0'] },
};
let setups = 0;
export function setup() {
  setups += 1;
  return { given: __ENV.GIVEN ?? 'by setup' };
}
export function teardown(data) {
  console.log('teardown', JSON.stringify(data));
}
export default function (data) {
  trend.add(4);
  gauge.add(7);
  gauge.add(3);
  counter.add(2);
  group('outer', () => group('inner', () => check(data, { 'there is data': (d) => !!d.given })));
  console.log('iterating');
  sleep(0.05);
}
