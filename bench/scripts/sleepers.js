// Clocks: many VUs sleep at the same time; how late does each of them wake up?
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';

export const options = { summaryTrendStats: ['p(50)', 'p(95)', 'p(99)', 'max'] };
const lateness = new Trend('lateness', true);
const times = parseInt(__ENV.TIMES || '20');

export default function () {
  for (let i = 0; i < times; i += 1) {
    const start = Date.now();
    sleep(0.1);
    lateness.add(Date.now() - start - 100);
  }
}
