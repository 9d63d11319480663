// The test is aborted inside of a group of setup().
import exec from 'k6/execution';
import { group, sleep } from 'k6';
import { Counter } from 'k6/metrics';
const c = new Counter('steps');
export const options = { setupTimeout: '1s' };
export function setup() { group('outer', () => { c.add(1); group('inner', () => { c.add(1); exec.test.abort('so'); }); }); }
export default function () { }
