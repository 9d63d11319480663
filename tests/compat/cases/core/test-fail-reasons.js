// exec.test.fail and abort without a reason, and with null.
import exec from 'k6/execution';
export default function () { exec.test.fail(null); exec.test.fail(); exec.test.fail(5); exec.test.abort(null); }
