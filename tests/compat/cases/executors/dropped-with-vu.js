// approx: 0.2
// With the system tag `vu` dropped iterations of one VU have its number as a tag, unlike those of all VUs.
import { sleep } from 'k6';

export const options = {
  systemTags: ['vu', 'scenario'],
  tags: { vu: 'run', kind: 'run' },
  scenarios: {
    each: { executor: 'per-vu-iterations', vus: 2, iterations: 3, maxDuration: '1s', gracefulStop: '0s', tags: { kind: 'each' } },
    all: { executor: 'shared-iterations', vus: 2, iterations: 5, maxDuration: '1s', gracefulStop: '0s', startTime: '1200ms' },
  },
};

export default function () {
  sleep(0.7);
}
