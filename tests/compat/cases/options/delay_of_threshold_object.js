export const options = {
  thresholds: { iterations: [{ threshold: 'count>0', abortOnFail: true, delayAbortEval: { a: 1 } }] },
};
export default function () {}
