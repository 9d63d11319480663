// k6-utils: https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/
// jsrunner's own equivalent, for runs that cannot reach jslib.k6.io.
// @ts-check
import { check as k6Check } from 'k6';
import exec from 'k6/execution';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Check a value. If the value or a function's result is a promise, the result is a promise, too. */
export function check(value, sets, tags) {
  const one = (name, result) => k6Check(value, { [name]: result }, tags);
  let passed = true;
  const awaited = [];
  for (const [name, test] of Object.entries(sets)) {
    const result = typeof test === 'function' ? test(value) : test;
    if (typeof result?.then === 'function') {
      awaited.push(result.then((settled) => one(name, settled)));
    } else {
      passed = one(name, result) && passed;
    }
  }
  if (!awaited.length) return passed;
  return Promise.all(awaited).then((results) => results.every(Boolean) && passed);
}

/** Return a random integer from `min` to `max`, both included. */
export const randomIntBetween = (min, max) => Math.floor(Math.random() * (max - min + 1) + min);

export const randomItem = (items) => items[Math.floor(Math.random() * items.length)];

export const randomString = (length, charset = LETTERS) => {
  let text = '';
  while (text.length < length) text += charset[Math.floor(Math.random() * charset.length)];
  return text;
};

/** Return a random UUID. `secure` selects the cryptographic, slower source. */
export const uuidv4 = (secure = false) => {
  if (secure) return crypto.randomUUID();
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (place) => {
    const digit = Math.floor(Math.random() * 16);
    return (place === 'x' ? digit : (digit % 4) + 8).toString(16);
  });
};

/** Return the first text between two texts, "" if there is none; with `repeat`, the list of all of them. */
export const findBetween = (content, left, right, repeat = false) => {
  const found = [];
  let at = 0;
  for (;;) {
    const begin = content.indexOf(left, at);
    if (begin < 0) break;
    const start = begin + left.length;
    const end = content.indexOf(right, start);
    if (end < 0) break;
    found.push(content.slice(start, end));
    if (!repeat) break;
    at = end + right.length;
  }
  return repeat ? found : found[0] ?? '';
};

/** Return stages whose VUs follow a normal distribution from -2 to 2 standard deviations. */
export const normalDistributionStages = (maxVUs, durationSeconds, numberOfStages = 10) => {
  const edge = Math.ceil(durationSeconds / 6); // each of the two slopes outside of the bell
  const inner = Math.ceil((durationSeconds * 4) / (6 * numberOfStages));
  const stages = [];
  for (let i = 0; i <= numberOfStages; i += 1) {
    const x = -2 + (4 * i) / numberOfStages;
    stages.push({
      duration: (i === 0 ? edge : inner) + 's',
      target: Math.round(maxVUs * Math.exp(-(x ** 2) / 2)),
    });
  }
  stages.push({ duration: edge + 's', target: 0 });
  return stages;
};

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 1e-6 };

/** Return the milliseconds of a duration such as 1m30s. A number is returned unchanged. */
export const parseDuration = (duration) => {
  if (typeof duration === 'number') return duration;
  if (typeof duration !== 'string') throw new Error("'" + String(duration) + "' is no duration");
  if (/^\d+(\.\d+)?$/.test(duration)) return Number(duration);
  let sum = 0;
  const rest = duration.replace(/(\d+(?:\.\d+)?)(ms|us|µs|ns|[dhms])/g, (_, count, unit) => {
    sum += Number(count) * UNITS[unit];
    return '';
  });
  if (rest !== '' || duration === '') throw new Error("'" + String(duration) + "' is no duration");
  return sum;
};

const stagesOf = (purpose) => {
  const scenario = exec.test.options.scenarios[exec.scenario.name];
  if (!scenario?.stages?.length) {
    throw new Error('only ramping-vus or ramping-arrival-rate supports stages, it is not possible to '
      + purpose + ' on other executors.');
  }
  return scenario;
};

/** Return the index, from 0, of the scenario's present stage; behind the last stage, the last index. */
export const getCurrentStageIndex = () => {
  const { stages } = stagesOf('get a stage index');
  const elapsed = Date.now() - exec.scenario.startTime;
  let end = 0;
  const index = stages.findIndex(({ duration }) => {
    end += parseDuration(duration);
    return elapsed < end;
  });
  return index < 0 ? stages.length - 1 : index;
};

/** Tag the iteration's samples from now on with the index of the stage. */
export const tagWithCurrentStageIndex = () => {
  exec.vu.metrics.tags.stage = getCurrentStageIndex();
};

/** Tag the iteration's samples from now on with the profile of the stage: ramp-up, steady or ramp-down. */
export const tagWithCurrentStageProfile = () => {
  const scenario = stagesOf('get a stage profile');
  const index = getCurrentStageIndex();
  const start = scenario.executor === 'ramping-vus' ? scenario.startVUs ?? 1 : scenario.startRate ?? 0;
  const before = index > 0 ? scenario.stages[index - 1].target : start;
  const { target } = scenario.stages[index];
  let profile = 'steady';
  if (target > before) profile = 'ramp-up';
  if (target < before) profile = 'ramp-down';
  exec.vu.metrics.tags.stage_profile = profile;
};
