import { check, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
const time = new Trend('my_time', true), count = new Counter('my_count');
export const options = {
  vus: 2, iterations: 40,
  thresholds: { my_time: ['p(95)<1', 'max<9999'], 'my_count{room:a}': ['count>0'] },
};
export default function () {
  time.add(250, { room: 'a' });
  time.add(500, { room: 'b' });
  count.add(2, { room: 'a' });
  check(1, { good: () => true });
  if (__ITER === 0) console.warn(`careful ${__VU}`);
  sleep(0.01);
}
