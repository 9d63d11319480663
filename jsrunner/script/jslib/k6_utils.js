// k6-utils: https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/
// jsrunner's own equivalent, for runs that cannot reach jslib.k6.io.
// @ts-check
import { check as k6Check } from 'k6';
import exec from 'k6/execution';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A check whose values and functions may give promises: then it gives a promise itself. */
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

/** A whole number from `min` to `max`, both included. */
export const randomIntBetween = (min, max) => Math.floor(Math.random() * (max - min + 1) + min);

export const randomItem = (items) => items[Math.floor(Math.random() * items.length)];

export const randomString = (length, charset = LETTERS) => {
  let text = '';
  while (text.length < length) text += charset[Math.floor(Math.random() * charset.length)];
  return text;
};

/** A random UUID; `secure` takes the better and slower source. */
export const uuidv4 = (secure = false) => {
  if (secure) return crypto.randomUUID();
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (place) => {
    const digit = Math.floor(Math.random() * 16);
    return (place === 'x' ? digit : (digit % 4) + 8).toString(16);
  });
};

/** What stands between two texts for the first time, "" if nothing does; all such with `repeat`. */
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

/** Stages whose VUs follow the bell of a normal distribution from -2 to 2 standard deviations. */
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

/** Milliseconds of a duration like 1m30s; a number is one already. */
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

/** Which of its scenario's stages runs now, from 0; behind the last one it is the last. */
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

/** Tag what the iteration records from now on with the stage's index. */
export const tagWithCurrentStageIndex = () => {
  exec.vu.metrics.tags.stage = getCurrentStageIndex();
};

/** Tag what the iteration records from now on with the stage's profile: ramp-up, steady or ramp-down. */
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
