// also: stdout
// A timer of handleSummary throws: that is logged, and what was returned is written.
export default function () {}

export function handleSummary() {
  setTimeout(() => {
    throw new TypeError('in a timer');
  }, 5);
  return { stdout: 'told' };
}
