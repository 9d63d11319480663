// also: stdout
// handleSummary leaves a rejection behind: it is logged, and what was returned is written.
export default function () {}

export function handleSummary() {
  Promise.reject('left behind');
  return { stdout: 'told' };
}
