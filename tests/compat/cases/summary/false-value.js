// ignore: stdout
// also: summary
// A value that is false in a condition stands for the usual summary.
export default function () {}

export function handleSummary() {
  return '';
}
