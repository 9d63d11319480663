// Of the errors that end a run only the first is told: not what teardown throws after an abort.
import exec from 'k6/execution';
export default function () { exec.test.abort('why'); }
export function teardown() { throw new Error('td'); }
