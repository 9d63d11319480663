import { check } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const count = new Counter('my_count'), gauge = new Gauge('my_gauge'), rate = new Rate('my_rate');
const time = new Trend('my_time', true), plain = new Trend('my_plain');
export const options = { vus: 4, iterations: 40, tags: { team: 'a, b=c' } };
export default function () {
  count.add(2, { empty: '' });
  gauge.add(7);
  rate.add(__ITER < 0);
  time.add(250);
  plain.add(3);
  check(1, { 'it is: so': () => true });
}
export function teardown() { count.add(20); }
