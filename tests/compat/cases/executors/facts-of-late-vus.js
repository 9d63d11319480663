// VUs that an arrival rate has had made: what their init code and their iterations know.
import exec from 'k6/execution';
import { sleep } from 'k6';
let late = null;
try { late = exec.instance.vusInitialized > 0; } catch (e) { late = e.message; }
let scn = null;
try { scn = Object.keys(exec.scenario); } catch (e) { scn = e.message; }
export const options = { scenarios: { s: { executor: 'constant-arrival-rate', rate: 4, duration: '1s', preAllocatedVUs: 1, maxVUs: 2 } } };
export default function () { console.log(exec.vu.idInTest, late, scn, exec.scenario.progress <= 1, exec.vu.iterationInScenario); sleep(0.6); }
