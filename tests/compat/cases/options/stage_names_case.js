// Names of fields of stages in any case; a target as a text.
import { sleep } from 'k6';

export const options = { stages: [{ Duration: '1s', TARGET: '1' }] };

export default function () {
  console.log('ran');
  sleep(1.2);
}
