// ignore: stdout
// Aborts in every function: the first ends the run, and handleSummary's fails alone.
import exec from 'k6/execution';
export default function () { exec.test.abort('why'); }
export function teardown() { exec.test.abort('td'); }
export function handleSummary() { exec.test.abort('hs'); }
